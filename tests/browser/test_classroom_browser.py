"""A phone and the lecturer's page in Chromium, at the real server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from benchmarks.class_server import Class, served_class
from pgcore.classroom import Asked, Truth
from tests.conftest import PATIENCE, until_healthy

pytestmark = pytest.mark.browser

MOST_BYTES, MOST_REQUESTS = 20_000, 5  # of a phone's first load
ASKED = Asked(
    "baseline",
    "A baseline is taken from every return. What changes?",
    ("Only the scatter of the updates", "Only their mean", "Both"),
    usual=0,
)
NUMBER = Asked("many", "How many?", low=0.0, high=100.0, step=1.0, unit="seeds", usual=(20.0, 40.0))
HIDE = """hidden => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest.fixture
def held() -> Iterator[Class]:
    with served_class() as held:
        until_healthy(held.url)
        yield held


def opened(browser: Browser, url: str, **options) -> Page:
    """A page of its own browser, of a phone's size."""
    context = browser.new_context(**({"viewport": {"width": 390, "height": 844}} | options))
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.goto(url)
    return page


def phone_of(browser: Browser, held: Class, **options) -> Page:
    page = opened(browser, f"{held.url}/room/{held.code}", **options)
    page.get_by_text("connected", exact=True).wait_for()
    return page


def host_of(browser: Browser, held: Class, **options) -> Page:
    page = opened(browser, f"{held.url}/room/host/{held.host}", **options)
    page.get_by_role("heading", name=f"Room {held.code}").wait_for()
    return page


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()


def answers(page: Page, option: str, sure: bool = True) -> None:
    press(page, option)
    press(page, "I am sure" if sure else "I am guessing")


def shows(page: Page, text: str) -> None:
    expect(page.get_by_text(text)).to_be_visible(timeout=PATIENCE)


def overflows(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth > window.innerWidth")


def counted(host: Page) -> list[str]:
    """Bars of the last vote on the lecturer's page."""
    return host.locator("#rounds .bar").all_inner_texts()


def test_a_phones_first_load_is_small(browser, held):
    context: BrowserContext = browser.new_context()
    page = context.new_page()
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    sizes: list[float] = []
    requests: list[str] = []
    wire.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.on("request", lambda request: requests.append(request.url))
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    page.goto(f"{held.url}/room/{held.code}")
    shows(page, "You are in.")
    assert len(requests) < MOST_REQUESTS, requests
    assert 0 < sum(sizes) < MOST_BYTES
    assert all(url.startswith(f"{held.url}/room/") for url in requests) and not sockets
    context.close()


def test_a_class_votes_discusses_votes_again_and_sees_the_truth(browser, held):
    phone, other, host = phone_of(browser, held), phone_of(browser, held), host_of(browser, held)
    held.ask(ASKED)
    press(host, "Open the vote")
    answers(phone, "Both")
    shows(phone, "Counted.")
    answers(phone, "Only their mean", sure=False)
    answers(other, "Only the scatter")
    shows(host, "Answered: 2 of 2")
    assert counted(host) == []
    press(host, "Close the vote")
    shows(host, "50% are right")
    shows(phone, "The vote is closed. Your answer was counted.")
    assert [text.split()[-1] for text in counted(host)] == ["sure", "sure", "0"]
    press(host, "Vote again")
    shows(phone, "Choose again")
    answers(phone, "Only the scatter")
    shows(host, "Answered: 1 of 2")
    press(host, "Close the vote")
    assert len(host.get_by_role("heading", name="Vote 2").all_inner_texts()) <= 1
    press(host, "Reveal")
    shows(phone, "The experiment runs on the screen.")
    held.tell(Truth("The scatter changed by 60%, the mean did not.", option=0))
    shows(phone, "You were right.")
    shows(phone, "Only the scatter of the updates (your answer, measured)")
    shows(other, "This phone gave no answer.")
    shows(host, "The scatter changed by 60%")
    with host.expect_download() as download:
        host.get_by_role("link", name="Download the counts").click()
    lines = download.value.path().read_text().splitlines()
    assert lines[0] == "question,round,answer,sure,votes" and len(lines) == 4
    assert not overflows(phone) and not overflows(host)


def test_a_vote_given_without_a_connection_is_counted_later(browser, held):
    phone, host = phone_of(browser, held), host_of(browser, held)
    held.ask(ASKED)
    press(host, "Open the vote")
    answers(phone, "Both")
    shows(phone, "Counted.")
    phone.context.set_offline(True)
    answers(phone, "Only their mean", sure=False)
    shows(phone, f"no connection, trying again. Room {held.code}")
    shows(phone, "This phone keeps your answer")
    answers(phone, "Only the scatter")
    phone.context.set_offline(False)
    shows(phone, "Counted.")
    press(host, "Close the vote")
    host.get_by_role("heading", name="Vote 1").wait_for()
    assert [text.split("\n")[-1] for text in counted(host)] == ["1, 1 sure", "0", "0"]


def test_a_browser_that_restarts_is_the_same_phone_and_loses_no_vote(browser, held):
    phone, host = phone_of(browser, held), host_of(browser, held)
    held.ask(ASKED)
    press(host, "Open the vote")
    phone.get_by_role("button", name="Both").wait_for()
    phone.context.set_offline(True)
    answers(phone, "Both")
    shows(phone, "This phone keeps your answer")
    kept = phone.context.storage_state()
    phone.context.close()
    again = phone_of(browser, held, storage_state=kept)
    shows(again, "Counted.")
    shows(host, "Answered: 1 of 1")
    again.reload()
    shows(again, "Counted.")
    expect(again.get_by_role("button", name="Both")).to_have_attribute("aria-pressed", "true")
    shows(host, "Phones that have joined: 1.")


def test_a_phone_that_sleeps_asks_nothing_and_is_up_to_date_when_it_wakes(browser, held):
    phone, host = phone_of(browser, held), host_of(browser, held)
    phone.clock.install()
    phone.reload()
    shows(phone, "You are in.")
    asked: list[str] = []
    phone.on("request", lambda request: asked.append(request.url))
    with phone.expect_response("**/state?*"):
        phone.clock.run_for(3_000)
    phone.evaluate(HIDE, True)
    before = len(asked)
    phone.clock.run_for(600_000)
    assert len(asked) == before > 0
    held.ask(ASKED)
    press(host, "Open the vote")
    shows(host, "Answered: 0 of 1")
    assert not phone.get_by_role("button", name="Both").is_visible()
    phone.evaluate(HIDE, False)
    phone.get_by_role("button", name="Both").wait_for()


def test_every_phone_is_a_seed_and_proposes(browser, held):
    phone = phone_of(browser, held, reduced_motion="reduce")
    other, host = phone_of(browser, held), host_of(browser, held)
    press(host, "Train an agent for each phone")
    shows(phone, "of 2. This number is the mean return of 5 episodes.")
    shows(host, "Agents trained: 2.")
    assert phone.locator("#curve polyline").get_attribute("points").count(",") == 20
    expect(phone.locator("#play")).to_have_text("Play")
    expect(other.locator("#play")).to_have_text("Stop", timeout=PATIENCE)
    drawn = "document.getElementById('cart').toDataURL()"
    phone.wait_for_function(f"{drawn}.length > 1000")
    phone.get_by_text("Propose what to try").click()
    phone.get_by_label("What to change").select_option("learning_rate")
    phone.get_by_label("Its value").fill("7")
    press(phone, "Send to the lecturer")
    shows(phone, "it must be a number from 1e-05 to 1.0.")
    phone.get_by_label("What to change").select_option("formula")
    phone.get_by_label("A baseline").fill("mean(q)")
    press(phone, "Send to the lecturer")
    shows(phone, "Sent to the lecturer: baseline mean(q).")
    press(host, "Show baseline mean(q)")
    shows(host, "On the screen: baseline mean(q).")
    late = phone_of(browser, held)
    shows(late, "The agents began before this phone came.")
    assert not overflows(phone)


def test_a_number_is_set_with_the_keyboard_alone(browser, held):
    phone, host = phone_of(browser, held), host_of(browser, held)
    held.ask(NUMBER)
    press(host, "Open the vote")
    phone.get_by_role("slider").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "Tab", "Tab", "Enter"):
        phone.keyboard.press(key)
    shows(phone, "Counted.")
    shows(phone, "51 seeds")
    expect(phone.get_by_role("button", name="I am guessing")).to_have_attribute(
        "aria-pressed", "true"
    )


def test_the_lecturer_drives_with_keys_and_ends_the_room(browser, held):
    host, phone = host_of(browser, held), phone_of(browser, held)
    expect(host.get_by_role("heading", name="One update")).to_be_visible()
    shows(host, "Next: The cloud")
    host.keyboard.press("PageDown")
    host.keyboard.press("PageDown")
    expect(host.get_by_role("heading", name="Seeds", exact=True)).to_be_visible(timeout=PATIENCE)
    shows(host, "This is the last slide.")
    host.keyboard.press("ArrowLeft")
    expect(host.get_by_role("heading", name="The cloud")).to_be_visible(timeout=PATIENCE)
    host.keyboard.press("b")
    expect(host.get_by_role("button", name="Blank the screen")).to_have_attribute(
        "aria-pressed", "true", timeout=PATIENCE
    )
    host.on("dialog", lambda dialog: dialog.accept())
    press(host, "End the room")
    for page in (host, phone):
        shows(page, "There is no such room.")
    phone.get_by_label("The six letters on the projector").fill("bcdfgh")
    press(phone, "Join")
    phone.wait_for_url(f"{held.url}/room/BCDFGH")
    shows(phone, "There is no such room.")


def test_quick_presses_all_count_in_their_order(browser, held):
    host = host_of(browser, held)
    press(host, "Next")
    expect(host.get_by_role("heading", name="The cloud")).to_be_visible(timeout=PATIENCE)
    slow: list[Route] = []
    host.route("**/act", lambda route: route.continue_() if slow else slow.append(route))
    with host.expect_request("**/act"):
        press(host, "Next")
    phone_of(browser, held)
    shows(host, "Phones that have joined: 1.")  # a state from before the second press
    press(host, "Previous")
    with host.expect_response(lambda answer: "previous" in (answer.request.post_data or "")):
        slow[0].continue_()
    host.reload()
    expect(host.get_by_role("heading", name="The cloud")).to_be_visible(timeout=PATIENCE)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_and_reach_it(browser, held, scheme):
    phone, host = (each(browser, held, color_scheme=scheme) for each in (phone_of, host_of))
    door = opened(browser, f"{held.url}/room/", color_scheme=scheme)
    held.ask(ASKED)
    press(host, "Open the vote")
    answers(phone, "Both")
    shows(phone, "Counted.")
    for page in (phone, host, door):
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert not overflows(page)
        small = page.evaluate("""() => [...document.querySelectorAll("button, input, select, a")]
          .filter(element => element.offsetParent && element.offsetHeight < 44)
          .filter(element => element.type !== "range").map(element => element.outerHTML)""")
        assert small == []
    press(host, "Close the vote")
    press(host, "Reveal")
    held.tell(Truth("Only the scatter changes.", option=0))
    shows(phone, "Your answer was another.")
    found = Axe().run(phone)
    assert found.violations_count == 0, found.generate_report()
