"""What a link may hold: every parameter of every page, read, refused, kept and written again."""

from __future__ import annotations

import math

import pytest
from streamlit.testing.v1 import AppTest

from pgcore import Config
from ui.shell import link, notice
from ui.shell.link import Parameter, choice, number, several
from ui.shell.pages import PAGES, PARAMETERS
from ui.shell.series import DEFAULT, LAB, Figure, parse_figure

NONSENSE = (
    "",
    " ",
    "nan",
    "inf",
    "-1e400",
    "²",
    "[x](http://evil.example)",
    "None",
    "a" * 999,
)


def example(parameter: Parameter) -> object:
    """A value that is not the default."""
    if parameter.most > 1:
        return list(parameter.options[: parameter.most])
    if parameter.secret:
        return "b-_" * 8
    values = parameter.options or (parameter.low, parameter.high)
    return next(value for value in values if value != parameter.default)


@pytest.mark.parametrize("parameter", PARAMETERS.values(), ids=lambda parameter: parameter.name)
def test_a_parameter_reads_what_it_writes(parameter):
    value = example(parameter)
    again = parameter.parse(parameter.write(value))
    assert again == value
    assert type(again) is type(value)


@pytest.mark.parametrize("parameter", PARAMETERS.values(), ids=lambda parameter: parameter.name)
@pytest.mark.parametrize("text", NONSENSE, ids=range(len(NONSENSE)))
def test_nonsense_is_refused_in_one_sentence_that_says_what_is_allowed(parameter, text):
    values, refused = link.parse({parameter.name: text}, PARAMETERS)
    (sentence,) = refused
    assert sentence.startswith(f"{parameter.name} is {text[:40]!r}; it must be ")
    assert sentence.endswith(f"{parameter.allowed}.")
    assert parameter.name not in values
    assert len(sentence) < 400


def test_a_copied_link_leaves_the_secret_out(monkeypatch):
    monkeypatch.setattr(link.st, "session_state", {})
    link.put("screen", "b-_" * 8)
    link.put("present", 1)
    assert link._values(PARAMETERS, whole=False)["screen"] == "b-_" * 8
    copied = link._values(PARAMETERS, whole=True)
    assert "screen" not in copied
    assert copied["present"] == "1"


def test_pages_that_share_a_parameter_declare_it_once():
    for page in PAGES:
        for parameter in page.parameters:
            assert PARAMETERS[parameter.name] == parameter


def test_kinds_of_parameters():
    assert choice("x", (1, 10)).parse("10") == 10
    assert several("x", ("a", "b"), 2).parse("b,a") == ["b", "a"]
    assert number("x", 0, 5).parse("5") == 5
    assert math.isclose(number("x", 0.0, 5.0).parse("2.5"), 2.5)
    for parameter, text in ((number("x", 0, 5), "2.5"), (number("x", 0.0, 5.0), "6")):
        with pytest.raises(ValueError, match="it must be a"):
            parameter.parse(text)


def test_one_bad_value_spoils_only_itself():
    query = {"v": "2", "seeds_n": "7", "seeds_pool": "5", "gamma": "0.9", "colour": "red"}
    values, refused = link.parse(query, PARAMETERS)
    assert values["seeds_n"] == 7
    assert values["figure"].config.gamma == 0.9
    assert [sentence.split()[0] for sentence in refused] == ["seeds_pool", "'colour'"]


def test_a_link_without_end_is_refused_whole_and_one_without_sense_in_few_sentences():
    values, refused = link.parse({"gamma": "0.9", "v": "2", "b" * link.LONGEST: "1"}, PARAMETERS)
    (said,) = refused
    assert said == "the link has 20,011 characters; it must have at most 20,000."
    assert values["figure"] == DEFAULT
    refused = link.parse({f"name{n}": "1" for n in range(1000)} | {"v": "2"}, PARAMETERS)[1]
    assert len(refused) == link.MOST_SAID + 1
    assert refused[-1] == "950 more of its values are not allowed."


def test_a_link_of_an_earlier_version_says_what_changed():
    for version in ({"v": "1"}, {}):
        values, refused = link.parse({"gamma": "0.9"} | version, PARAMETERS)
        assert "random streams were numbered anew" in refused[0]
        assert values["figure"].config.gamma == 0.9
    assert link.parse({"v": "2", "gamma": "0.9"}, PARAMETERS)[1] == []
    assert link.parse({"bandit_b": "2"}, PARAMETERS)[1] == []  # exact: nothing is drawn
    assert "of version '99'" in link.parse({"v": "99"}, PARAMETERS)[1][0]


# --- followed inside the session ---


@pytest.mark.parametrize(
    ("address", "page", "query"),
    [
        ("cloud?window_steps=256", "cloud", {"window_steps": "256"}),
        ("/start", "start", {}),
        ("http://localhost:8501/lab/train/?gamma=0.9&v=2#x", "train", {"gamma": "0.9", "v": "2"}),
        ("http://[?a=", "[", {"a": ""}),
        ("", "", {}),
    ],
)
def test_an_address_is_a_page_and_its_query(address, page, query):
    assert link.split(address) == (page, query)


def test_every_page_can_be_followed():
    assert {page.file for page in PAGES} == link.PAGES


def page_that_follows():
    import streamlit as st

    from ui.shell import link
    from ui.shell.pages import PARAMETERS

    link.settings()
    if asked := st.session_state.pop("follow", None):
        link.follow(asked, PARAMETERS)


@pytest.fixture
def follow(monkeypatch):
    """What a session with settings of its own has, and where it goes, after an address."""

    def go(address: str) -> tuple[dict, list[str], list[str]]:
        went: list[str] = []
        monkeypatch.setattr(link.st, "switch_page", went.append)
        app = AppTest.from_function(page_that_follows).run()
        settings = app.session_state["settings"]
        settings.update(gamma=0.5, exhibit="adam_epsilon", band="95%", kept=LAB)
        app.session_state["follow"] = address
        app.run()
        assert not app.exception
        return settings, app.session_state["refused"], went

    return go


def test_a_followed_address_shows_its_values_and_nothing_of_what_was_before(follow):
    address = "bandit?bandit_b=2&gamma=0.7&bandit_view=Two+arms&bandit_w1=999"
    settings, (refused,), went = follow(address)
    assert went == ["pages/bandit.py"]
    assert (settings["bandit_b"], settings["gamma"], settings["band"]) == (2.0, 0.7, "std")
    assert settings["exhibit"] is None
    assert settings["kept"] is None
    assert refused.startswith("bandit_w1 is '999'; it must be")


def test_an_address_of_no_page_changes_nothing_and_is_said(follow):
    settings, refused, went = follow("../secret?gamma=0.7")
    assert refused == ["the lab has no page 'secret'."]
    assert went == []
    assert settings["gamma"] == 0.5


# --- figures ---


COMPARED = Figure(("actor_critic",), Config(), vary="gamma", values=(0.9, 0.95, 0.99, 1.0))


@pytest.mark.parametrize("figure", [DEFAULT, LAB, COMPARED], ids=["default", "lab", "compared"])
@pytest.mark.parametrize("whole", [False, True])
def test_a_figure_survives_its_own_link(figure, whole):
    assert parse_figure(figure.to_query(whole)) == (figure, [])


def test_the_lab_is_the_notebook_as_written():
    assert LAB.configs == {key: Config.lab(algorithm=key) for key in LAB.algorithms}
    assert LAB.configs["batch_mean"].value_coef == 0  # its task 2 trains no critic
    assert LAB.configs["actor_critic"].value_coef == 0.5
    assert LAB.series["batch_mean"].label == "Batch mean, value_coef 0.0"


def test_values_of_one_setting_are_series_with_colours_of_their_own():
    series = [*COMPARED.series.values()]
    assert [s.label for s in series] == [
        f"Actor-critic, gamma {x}" for x in ("0.9", "0.95", "0.99", "1")
    ]
    assert [s.config.gamma for s in series] == [0.9, 0.95, 0.99, 1.0]
    assert len({s.colour for s in series}) == 4


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"vary": "env_id", "values": "a"}, "vary is 'env_id'; it must be one of"),
        ({"vary": "gamma", "values": "2"}, "gamma is 2.0; it must be a number from 0.0 to 1.0"),
        ({"vary": "gamma", "values": "0,.1,.2,.3,.4,.5,.6,.7,.8"}, "at most 8 can be told apart"),
        ({"algorithms": "batch_mean(gamma=2)"}, "gamma is 2.0; it must be"),
        ({"algorithms": "batch_mean(colour=red)"}, "is to have 'colour'"),
        ({"algorithms": "batch_mean((gamma=0.9))"}, "algorithms names 'batch_mean((gamma=0.9))'"),
    ],
)
def test_a_bad_figure_is_one_sentence_and_the_rest_stays(query, sentence):
    figure, refused = parse_figure({"algorithms": "actor_critic", "num_seeds": "7"} | query)
    (said,) = refused
    assert sentence in said
    assert figure.config.num_seeds == 7


# --- plain text ---


def page_of_a_notice():
    from ui.shell.notice import notice

    notice("![x](http://evil.example/x.png) [link](http://evil.example) :red[x] $x$", "error")


def test_what_came_from_outside_is_plain_text():
    app = AppTest.from_function(page_of_a_notice).run()
    (text,) = app.text
    assert text.value.startswith("![x](http://evil.example/x.png)")
    assert not any("evil" in markdown.value for markdown in app.markdown)
    assert set(notice.ICONS) == {"info", "warning", "error"}
