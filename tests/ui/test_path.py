"""The path: its lessons are pages in states that exist, and its words are explained in time."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pgcore import Config
from tests import texts
from ui.path import lessons, progress
from ui.path.lessons import LESSONS, Lesson, done, place_of, progress_of
from ui.shell.glossary import GLOSSARY, TERM, linked
from ui.shell.pages import PAGES, PARAMETERS
from ui.shell.series import FIELDS

FILES = {page.file: page for page in PAGES}
ROOT = Path(__file__).parents[2]
STATES = [
    (lesson, state) for lesson in LESSONS
    for state in [lesson.state, *(suggestion.state for suggestion in lesson.tries)]
]  # fmt: skip


def test_there_are_eleven_lessons():
    assert len(LESSONS) == 11
    assert len({lesson.title for lesson in LESSONS}) == 11


@pytest.mark.parametrize(("lesson", "state"), STATES)
def test_a_lessons_state_holds_what_a_link_to_its_page_may_hold(lesson, state):
    own = {parameter.name for parameter in FILES[lesson.page].parameters}
    for name, value in state.items():
        if name in FIELDS:
            Config(**{name: value})
        else:
            assert name in own
            assert PARAMETERS[name].parse(PARAMETERS[name].write(value)) == value


@pytest.mark.parametrize("place", range(len(LESSONS)))
def test_a_lesson_is_found_again_in_its_own_state(place):
    lesson = LESSONS[place]
    values = {p.name: p.default for p in FILES[lesson.page].parameters} | dict(lesson.state)
    assert place_of(lesson.page, values, None) == place


def test_a_page_beside_the_path_is_no_lesson():
    assert place_of("train", {}, 3) is None


def test_a_lesson_is_done_when_all_its_questions_are_answered():
    lesson = next(lesson for lesson in LESSONS if len(lesson.asks) > 1)
    assert not done(lesson, set(lesson.asks[:1]))
    assert done(lesson, set(lesson.asks) | {"another"})


def test_a_lesson_that_is_begun_says_that_a_question_is_left():
    for lesson in LESSONS:
        assert progress_of(lesson, set()) == ""
        assert progress_of(lesson, set(lesson.asks)) == " :material/check:"
        if len(lesson.asks) == 2:
            assert progress_of(lesson, {lesson.asks[0]}) == " · 1 question left, below"
    assert any(len(lesson.asks) == 2 for lesson in LESSONS)


def test_every_question_of_a_lesson_is_asked_on_its_page():
    for lesson in LESSONS:
        texts = "".join(p.read_text() for p in (ROOT / "ui" / lesson.page).glob("*.py"))
        for name in lesson.asks:
            assert f'"{name}"' in texts, (lesson.title, name)
    assert {name for lesson in LESSONS for name in lesson.asks} == progress.NAMES


def test_only_names_of_questions_are_taken_from_a_browser():
    name = min(progress.NAMES)
    assert progress.known([name, "other", 7, None, [name], {name: 1}]) == {name}
    for kept in (None, name, {name: 1}, 7, [[name]]):
        assert progress.known(kept) == set()


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_formula_of_several_lines_stands_between_lines_of_its_own(lesson):
    """Else Markdown takes the rest of the text for mathematics, and shows it as an error."""
    for number, part in enumerate(lesson.notation.split("$$")):
        if number % 2 and "\n" in part:
            assert part.startswith("\n") and part.endswith("\n"), part
    assert lesson.notation.count("$$") % 2 == 0


# --- words ---


def test_a_term_becomes_a_button_that_opens_its_entry():
    shown = '<button class="term" popovertarget="term-psi">the weight</button>'
    assert linked("See [[psi|the weight]].") == f"See {shown}."
    assert ">weight</button>" in linked("[[psi]]")
    with pytest.raises(KeyError):
        linked("[[no_such_term]]")


@pytest.mark.parametrize("key", GLOSSARY)
def test_an_entry_is_a_sentence_or_two_and_names_a_page_and_a_lesson(key):
    entry = GLOSSARY[key]
    assert entry.sentence.endswith((".", "?"))
    assert entry.page in FILES
    assert 1 <= entry.lesson <= len(LESSONS)


def test_the_path_uses_a_term_only_from_the_lesson_on_that_introduces_it():
    for place, lesson in enumerate(LESSONS, start=1):
        for key, _ in TERM.findall(lesson.see):
            assert GLOSSARY[key].lesson <= place, (lesson.title, key)


# --- whole pages along the path: charts, whose titles are short, are left out ---

WALK = ["start", *dict.fromkeys(lesson.page for lesson in LESSONS), "museum"]
PARTS = {page: [lesson for lesson in LESSONS if lesson.page == page] for page in WALK}


def lesson_text(lesson: Lesson) -> str:
    beside = [part for suggestion in lesson.tries for part in (suggestion.label, suggestion.look)]
    return "\n\n".join([lesson.see, *beside, lesson.notation])


def walked(page: str) -> str:
    """All that a reader may meet on a page, its lessons' texts and its own question among it."""
    own = FILES[page]
    labels = [parameter.label or "" for parameter in own.parameters]
    sentence = texts.strings(ROOT / "ui/path/sentence.py") if page == "start" else ()
    of_lessons = map(lesson_text, PARTS[page])
    return "\n\n".join([own.question, *labels, texts.page_text(page), *of_lessons, *sentence])


TEXTS = {page: walked(page) for page in WALK}
LINKS = {page: {key for key, _ in TERM.findall(text)} for page, text in TEXTS.items()}
WORDS = {  # what a reader sees of a term, where its name is not it
    "episode": "episodes?", "estimator": "estimators?", "adam": "Adam", "pool": "pools?",
    "trajectory": "trajector(y|ies)",
    "policy": "polic(y|ies)", "return": "returns?", "gamma": "γ|discounted", "q": "Q", "v": "V",
    "score": "scores? alone|the score of", "psi": "Ψ", "estimate": "updates?",
    "true_gradient": "true gradient|g∞", "tr_sigma": r"tr (Σ|Var)|variance of (an|one) update",
    "snr": "noise over signal|Noise / signal", "batch": "batch(es)?", "baseline": "baselines?",
    "critic": "critic", "seed": "seeds?", "n": "n = .*", "interval": "95% intervals?",
    "state": "states?", "checkpoint": "checkpoints?", "on_policy": "on.policy", "bias": "bias",
    "best_constant": r"best constant|b\\?\*", "natural": "natural policy gradient", "mu": "μ",
    "leave_one_out": "leave one out", "advantage": "advantage", "r_squared": "R²",
    "bootstrap": "bootstraps?(?! interval)|to bootstrap", "terminated": "truncated|the clock",
    "lambda": "λ", "delta": "δ", "committed": "stuck", "resampling": "bootstrap intervals?",
    "std": "standard deviation", "standard_error": "standard errors?", "wilson": "Wilson",
    "welch": "Welch", "p_value": "p values?", "holm": "Holm", "iqm": "IQM",
    "permutation": "permutation test", "effect": "effect", "area": "area under the curve",
    "t_interval": "t interval",
}  # fmt: skip


def shown(text: str) -> str:
    """Without formulas; a linked term is what is shown of it."""
    text = re.sub(r"\$\$.*?\$\$|\$[^$]*\$", " ", text, flags=re.DOTALL)
    return TERM.sub(lambda found: found[2] or found[1].replace("_", " "), text)


@pytest.mark.parametrize("key", GLOSSARY)
def test_a_term_is_linked_on_the_page_of_the_path_that_uses_it_first(key):
    """And its entry names a lesson of the page that links it first: the order of the glossary."""
    word = re.compile(rf"(?<!\w)({WORDS.get(key, key)})(?!\w)", re.IGNORECASE * (len(key) > 1))
    linked_at, used_at = (
        next((place for place, page in enumerate(WALK) if test(page)), None)
        for test in (lambda page: key in LINKS[page], lambda page: word.search(shown(TEXTS[page])))
    )
    assert linked_at is not None, f"{key} is linked nowhere on the path"
    assert used_at is None or linked_at <= used_at, f"{key} is used on {WALK[used_at]} before"
    page = WALK[linked_at]
    places = [place for place, lesson in enumerate(LESSONS, start=1) if lesson.page == page]
    assert min(places, default=1) <= GLOSSARY[key].lesson <= max(places, default=1)


# Where a symbol is explained: the page or the lesson, and the words that do it.
SYMBOLS: dict[str, tuple[int | str, str]] = {
    "J": ("start", "what is to be made large"), "θ": ("start", "the parameters of the policy"),
    "s": ("start", "the [[state]] at step t"), "a": ("start", "the action that was taken there"),
    "t": ("start", "at step t"), "π": ("start", "the [[policy]]: how probable"),
    "Q": ("start", "the discounted return that followed the action"),
    "V": ("start", "[[critic]]'s [[v|value]]"), "b": ("start", "the [[baseline]]: 0 for plain"),
    "Ψ": ("start", "the [[psi|weight]]: more"), "E": ("start", "the mean over states and actions"),
    "n": ("start", "[[n|n]] counts [[seed|seeds]]"), "∇": ("start", "in which J grows fastest"),
    "γ": ("start", "[[gamma|discounted]]"),
    "T": (1, "a mean over the $T$ steps of a batch"), "g": (1, "An update is a mean"),
    "Σ": (1, "Its mean square splits into signal and noise"), "N": (1, "of $N$ measured batches"),
    "b*": ("cloud", "[[best_constant|best constant]], b* of"),
    "g∞": ("cloud", "[[true_gradient|true gradient]]"),
    "p": (2, r"$p = \pi(1|s)$"), "z": (2, "the expected push of the preference $z_1 - z_0$"),
    "ψ": (3, r"the score $\psi"), "α": (10, r"$\alpha$ the step size"),
    "σ": (10, r"$\sigma(\theta)$ its probability"),
    "G": (4, "update without a baseline as $G$"), "S": (4, "its mean score as $S$"),
    "μ": ("toypole", "[[mu|μ]], the share"),
    "j": (5, "$Q_j$ with $j < t$"), "e": ("toypole", "V ± e"),
    "λ": (8, "[[lambda]] is a number from 0 to 1"), "A": (8, "GAE's weight $A_t$"),
    "δ": (8, r"one-step error $\delta_t"), "k": (8, "the steps $t + k$ after it"),
    "R²": ("variance", "[[r_squared|R²]]"), "τ": ("variance", "Σ_τ (what followed)"),
    "d": (6, r"with $d = \nabla(z_1 - z_0)$"), "ϕ": ("inside", r"value, $V_\phi$"),
    "r": ("inside", "its own reward r, plus"), "P": ("bandit", "multiplies the probability P by"),
    "F": ("bootstrap", "**cut**: $F = 0$"),
    "c": (9, "A constant $c$ added to every reward"), "x": (11, r"Two means $\bar x$ and $\bar y$"),
    "y": (11, r"Two means $\bar x$ and $\bar y$"),
}  # fmt: skip


def test_lessons_of_a_page_stand_in_the_order_of_the_path():
    assert lessons.lessons_of("bandit") == [2, 9]
    assert lessons.lessons_of("toypole") == [4, 7]


GREEK = {
    "alpha": "α", "gamma": "γ", "delta": "δ", "theta": "θ", "lambda": "λ", "mu": "μ", "pi": "π",
    "sigma": "σ", "tau": "τ", "phi": "ϕ", "psi": "ψ", "Psi": "Ψ", "Sigma": "Σ", "nabla": "∇",
    "varepsilon": "ε", "rho": "ρ",
}  # fmt: skip
LETTERS = re.compile(
    r"g∞|b\\?\*|R²|[α-ωϕΨΣ∇]|(?<![\w'’%])[B-HJ-Zb-z](?=_\w\b|[ᵗ∞]|\\?\*|(?![\w'’-]| squared))"
)


def symbols(text: str) -> set[str]:
    """The letters that stand for quantities, in formulas and in sentences."""
    found = set()
    for part in text.split("\n\n"):
        bare = "$" not in part and re.search(r"\\[A-Za-z]{2}|\\[!,;]", part)
        inside = [part] if bare else re.findall(r"\$([^$]+)\$", part)
        for formula in inside:
            found |= {"R²"} if "R^2" in formula else set()
            formula = formula.replace("R^2", "")
            formula = re.sub(r"\\(text|mathrm|begin|end|operatorname)\{[^}]*\}", " ", formula)
            for command, letter in re.findall(r"\\([A-Za-z]+)|([A-Za-z])", formula):
                found.add(letter or GREEK.get(command, ""))
        if not bare:
            found |= {letter.replace("\\", "") for letter in LETTERS.findall(shown(part))}
    return found - {"", "∞"}


def explained_on(symbol: str) -> str:
    """The page of the walk that explains a symbol; the words are there."""
    where, snippet = SYMBOLS[symbol]
    if isinstance(where, str):
        assert snippet in TEXTS[where], symbol
        return where
    assert snippet in lesson_text(LESSONS[where - 1]), symbol
    return LESSONS[where - 1].page


@pytest.mark.parametrize("page", WALK)
def test_no_symbol_stands_on_the_path_before_it_is_explained(page):
    """A new symbol fails until SYMBOLS says where it is explained, there or earlier on the walk."""
    met = symbols(re.sub(r"\$\$(.*?)\$\$", r"\n\n$\1$\n\n", TEXTS[page], flags=re.DOTALL))
    unknown = met - SYMBOLS.keys()
    assert not unknown, f"{page}: {sorted(unknown)}"
    for symbol in met:
        assert WALK.index(explained_on(symbol)) <= WALK.index(page), symbol


def test_a_symbol_without_an_explanation_is_found():
    assert symbols(r"Here ζ and $\bar x_t + \alpha\,\text{no}$, b\* and R² of a state.") == {
        "ζ", "x", "t", "α", "b*", "R²"
    }  # fmt: skip
    assert symbols("I have A coin; it's a 5 s run.") <= {"s"}


LONG: dict[str, str] = {}  # sentences of more than 25 words: how each begins, and why it stays


def test_the_path_s_sentences_are_short():
    """At most 25 words a sentence, on every page of the lab and in the lessons and the glossary."""
    said = [texts.page_text(page) for page in FILES]
    said += [*map(lesson_text, LESSONS), *texts.strings(ROOT / "ui/path/sentence.py")]
    said += [entry.sentence for entry in GLOSSARY.values()]
    said += [text for file in (ROOT / "ui/shell").glob("*.py") for text in texts.strings(file)]
    every = [sentence for text in said for sentence in texts.sentences(text)]
    assert len(every) > 1000
    long = [sentence for sentence in every if len(sentence.split()) > 25]
    for sentence in long:
        assert sentence.startswith(tuple(LONG)), sentence
    assert len(long) == len(LONG)
