"""The handout: its words, what a class answered, and a whole one from real runs."""

from __future__ import annotations

import base64
import html
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser
from streamlit.testing.v1 import AppTest

from pgcore import Config, train
from pgcore.algorithms import ALGORITHMS
from pgcore.classroom import Asked, Poll, Truth, Vote
from pgcore.lecture import Lecture, Slide, parse
from pgcore.plotting.verdict import verdict
from pgcore.stats import mean_t_interval
from ui.handout import capture, pictures, view
from ui.handout import make as make_module
from ui.handout.answers import Bar, heard
from ui.handout.capture import Drawn, Listed, Moving, Row, Said, Shown, in_sight, shown
from ui.handout.document import Sheet, based, document
from ui.handout.make import make
from ui.handout.markup import inline, rich
from ui.path.lessons import LESSONS
from ui.shell import link
from ui.shell.glossary import GLOSSARY
from ui.shell.series import LAB_ALGORITHMS

ROOT = Path(__file__).parents[2]
BASE = "https://lab.example.org/a/"
SMALL = {"num_seeds": 4, "total_timesteps": 1000}
QUERY = "&".join(f"{name}={value}" for name, value in SMALL.items())
HOSTILE = (
    "<script>alert(1)</script><img src=https://evil.example/x.png> & [x](https://evil.example)"
)


# --- words ---


@pytest.mark.parametrize(
    ("markdown", "wanted"),
    [
        ("**58%** [57, 60], *not 80%*.", "<strong>58%</strong> [57, 60], <em>not 80%</em>."),
        ('One <button class="term" popovertarget="term-n">n</button>.', "One n."),
        (":material/check: You predicted it.", "You predicted it."),
        (":blue[found] **60%**", "found <strong>60%</strong>"),
        (r"Least at b\* = 2, and b\* − 1.", "Least at b* = 2, and b* − 1."),
        (HOSTILE[:25], "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("`a < b`", "<code>a &lt; b</code>"),
        ("[x](javascript:alert(1))", "[x](javascript:alert(1))"),
        ("[x](https://evil.example/cloud)", "x"),
        ("[x](//evil.example/cloud)", "x"),
        ("[the **cloud**](cloud?a=1&b=2)",
         f'<a href="{BASE}cloud?a=1&amp;b=2">the <strong>cloud</strong></a>'),
        ("\ue0000\ue001", "0"),
    ],
)  # fmt: skip
def test_markdown_becomes_html_that_holds_nothing_foreign(markdown, wanted):
    assert inline(markdown, BASE) == wanted


def test_paragraphs_lists_and_formulas():
    text = "##### Head\n\nOne  \ntwo\n\n- **r − 1**: a\n- b"
    assert rich(text, BASE) == (
        "<h4>Head</h4><p>One<br>two</p><ul><li><strong>r − 1</strong>: a</li><li>b</li></ul>"
    )
    for formula in (r"$\Psi_t = Q_t - b(s_t)$", "$$\n\\sum_{k} \\gamma^k r_k\n$$"):
        assert "<math" in rich(formula, BASE) and "$" not in rich(formula, BASE)


@given(st.text(st.sampled_from("<>&\"'*`[]()\\:/-# \nab") | st.characters()))
def test_whatever_is_written_makes_no_tags_but_ours(text):
    made = rich(text.replace("$", ""), BASE)
    assert set(re.findall(r"<[^>]*>?", made)) <= set(
        re.findall(r"<[^>]*>", "<p></p><strong></strong><em></em><code></code><br><h4></h4>")
    ) | {"<ul>", "</ul>", "<li>", "</li>"}


def test_every_formula_of_the_lab_becomes_mathml():
    formulas = [one.formula for one in GLOSSARY.values() if one.formula]
    formulas += [one.psi for one in ALGORITHMS.values()]
    for lesson in LESSONS:
        formulas += [
            a or b for a, b in re.findall(r"\$\$(.+?)\$\$|\$([^$]+)\$", lesson.notation, re.S)
        ]
    assert len(formulas) > 100
    for formula in formulas:
        made = rich(f"$${formula}$$", BASE)
        assert made.startswith("<p><math") and "<merror" not in made


@pytest.mark.parametrize("address", ["", "lab.example.org", "javascript:alert(1)", "file:///etc"])
def test_an_address_is_one(address):
    with pytest.raises(ValueError, match="must begin with http"):
        based(address)


def test_an_address_ends_with_a_slash():
    assert based("https://lab.example.org/a?b=1") == BASE == based(BASE)
    assert link.base("https://lab.example.org/a/cloud?b=1") == BASE
    assert link.base("https://lab.example.org/a/") == BASE


# --- what a class answered ---

OPTIONS = Asked("free_lunch", "What changes?", ("Scatter", "Mean", "Both"))
SHARE = Asked("right_way", "How many?", low=0, high=100, step=5, unit="%", usual=(54.0, 63.0))


def poll(asked: Asked, rounds: list[list[float]], truth: Truth | None) -> Poll:
    votes = [{f"secret {k}": Vote(said, True) for k, said in enumerate(one)} for one in rounds]
    return Poll(asked, "revealed", votes, truth)


LUNCH = poll(OPTIONS, [[0, 1, 1, 2], [0, 0, 0]], Truth("Only the scatter.", option=0))


def test_both_rounds_are_counted_and_the_measured_answer_is_marked():
    (one,) = heard({"free_lunch": LUNCH, "silent": poll(SHARE, [], None)})
    assert one.bars == (
        Bar("Scatter", (1, 3), True), Bar("Mean", (2, 0), False), Bar("Both", (1, 0), False),
    )  # fmt: skip
    assert one.totals == (4, 3) and one.truth == "Only the scatter."
    assert "secret" not in repr(one)


def test_numbers_stand_in_bars_of_several_and_none_is_lost():
    truth = Truth("It is 58%.", estimate=58, low=57, high=60, near=5)
    (one,) = heard({"right_way": poll(SHARE, [[0, 10, 15, 55, 100]], truth)})
    assert one.totals == (5,)
    assert [bar.label for bar in one.bars][:2] == ["0% to 10%", "15% to 25%"]
    assert one.bars[0].votes == (2,) and one.bars[-1].votes == (1,)
    assert [bar.label for bar in one.bars if bar.right] == ["45% to 55%", "60% to 70%"]


# --- what is in sight ---


def test_a_page_ends_at_the_heading_below_its_figure():
    head, words, chart = Said("##### H", "heading"), Said("w"), Drawn({}, {}, "")
    assert in_sight([head, words, chart, words, head, words]) == [head, words, chart, words]
    assert in_sight([words, Row(((chart,), (chart,))), head]) == [words, Row(((chart,), (chart,)))]
    assert in_sight([head, words, Moving(), head, words]) == [head, words, Moving(), head, words]


def test_a_page_that_is_not_there_is_said_and_not_linked():
    found = shown("https://evil.example/nowhere")
    assert found == Shown(None, {}, (), (), "The lab has no page of this name.")
    text = document(HOSTILE, [Sheet(HOSTILE, "", found)], BASE)
    assert "The lab has no page of this name." in text
    assert "<script" not in text and "<a " not in text and "<img" not in text


def test_every_kind_of_content_is_escaped():
    table = pd.DataFrame({HOSTILE: [HOSTILE]})
    kinds = [Said(HOSTILE, kind) for kind in ("text", "heading", "caption", "plain", "code")]
    found = Shown(
        None, {"q": HOSTILE}, (capture.Setting(HOSTILE, HOSTILE),), (*kinds, Listed(table))
    )
    text = document("", [Sheet("", "", found)], BASE)
    assert "&lt;script&gt;" in text
    assert not re.search(r"<(script|img|a|button)\b", text)


def test_a_link_that_no_phone_could_read_has_no_code():
    assert pictures.qr_code("https://lab.example.org/" + "x" * 700) is None
    assert pictures.qr_code("https://lab.example.org/").address.startswith("data:image/svg+xml")


# --- a whole one ---

SLIDES = (
    (f"{HOSTILE} 1", f"train?{QUERY}&present=1&zoom=1.5"),
    ("A free lunch", "bandit?bandit_view=One+pull&bandit_b=2.0"),
    ("Big variance", f"cloud?{QUERY}&batch_size=8&panels=policy_gradient,actor_critic"),
    ("Join", "class?class_view=join"),  # a room's page: left out
)


@pytest.fixture(scope="module")
def lecture() -> Lecture:
    return Lecture("Three slides", tuple(Slide(t, link, 3.0, "", "", "") for t, link in SLIDES))


@pytest.fixture(scope="module")
def handout(lecture) -> str:
    shares: list[float] = []
    made = make(lecture, heard({"free_lunch": LUNCH}), BASE, shares.append).decode()
    assert shares == [0, 1 / 3, 2 / 3]
    return made


def svgs(handout: str) -> list[str]:
    coded = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', handout)
    return [base64.b64decode(one).decode() for one in coded]


def test_its_numbers_are_the_library_s(handout):
    runs = {key: train(Config(algorithm=key, **SMALL)) for key in LAB_ALGORITHMS}
    said = verdict({ALGORITHMS[key].name: run.final_returns for key, run in runs.items()})
    assert inline(said.sentence, BASE) in handout and inline(said.details, BASE) in handout
    (curves,) = (svg for svg in svgs(handout) if "environment steps" in svg)
    for key, run in runs.items():
        interval = mean_t_interval(run.final_returns)
        assert f"{ALGORITHMS[key].name} at {interval:.0f} after 1,000 steps (n = 4)" in handout
        assert f"{ALGORITHMS[key].name} at 1,000 steps: {interval.estimate:.1f} [" in curves
        assert f">{ALGORITHMS[key].name}, n = 4</text>" in curves


def test_its_links_are_a_reader_s(handout):
    links = re.findall(r'<a href="([^"]+)">', handout)
    assert f"{BASE}train?v=2&amp;num_seeds=4&amp;total_timesteps=1000" in links
    assert all(link.startswith(BASE) for link in links)
    assert handout.count('alt="QR code of the link"') == 3


def test_settings_question_answer_and_votes_stand_there(handout):
    assert "Environment steps per seed: 1,000" in handout
    assert "Constant baseline b: 2" in handout
    assert (
        "The baseline b moves from" in handout and "Only the scatter of the thin arrows" in handout
    )
    assert "First vote, n = 4" in handout and "After the discussion, n = 3" in handout
    assert handout.count('<div class="class">') == 1 and "secret" not in handout


def test_no_sign_of_markdown_is_left(handout):
    body = re.sub(r"<style>.*?</style>", "", handout)
    text = re.sub(r'<[^>]*>|data:[^"]*', " ", body.replace(html.escape(HOSTILE), ""))
    assert not re.search(r"\*\*|:material|\]\(|\$|popovertarget|#####", text)
    assert not re.search(r"(Press|Click) ", text)


def test_in_a_browser_it_asks_for_nothing_runs_nothing_and_prints_a_slide_a_page(
    handout, browser: Browser, tmp_path
):
    file, asked = tmp_path / "handout.html", []
    file.write_text(handout)
    context = browser.new_context(viewport={"width": 800, "height": 1000})
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: asked.append(message.text))
    page.goto(file.as_uri())
    assert [url for url in asked if not url.startswith("data:")] == [file.as_uri()]
    assert page.evaluate("document.scripts.length") == 0
    assert page.evaluate("[...document.images].every(i => i.complete && i.naturalWidth && i.alt)")
    for width in (800, 390):
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    printed = page.pdf(prefer_css_page_size=True, print_background=True)
    context.close()
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 3


# --- the command, and the button ---


def test_the_command_says_in_a_sentence_what_is_wrong(tmp_path):
    file = tmp_path / "lecture.md"
    file.write_text("no lecture")
    for arguments in ([str(file)], [str(tmp_path / "none.md")]):
        command = [sys.executable, "-m", "ui.handout", *arguments]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 1 and "Traceback" not in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1


def test_the_button_has_it_made_in_another_process_and_offers_it():
    def page(lecture):
        from ui.handout import view

        view.button(lecture, {})

    slide = Slide("Two arms", "bandit?bandit_view=Two+arms", 3.0, "", "", "")
    one = Lecture("One", (slide,))
    app = AppTest.from_function(page, kwargs={"lecture": one}, default_timeout=300).run()
    (make_it,) = app.button
    make_it.click().run()
    job = view.ENGINE.get(("handout", one, (), view.HERE))
    assert job is not None and job.finished.wait(300)
    app.run()
    assert not app.exception and not app.button
    (download,) = app.get("download_button")
    assert download.label.startswith("Download the handout")
    assert b"Two arms pay 1 and 0" in job.result


def test_a_handout_that_takes_too_long_says_so(lecture, monkeypatch):
    monkeypatch.setattr(make_module, "MOST_SECONDS", -60)
    with pytest.raises(ValueError, match="Choose fewer slides"):
        make(lecture, (), BASE)


@pytest.mark.slow
@pytest.mark.parametrize("file", sorted((ROOT / "ui/lecture/included").glob("*.md")))
def test_an_included_lecture_s_handout_is_whole(file):
    text = make(parse(file.read_bytes()), (), BASE).decode()
    assert "mistake" not in text and "too long" not in text and "no page" not in text
    assert len(text) < 15e6
