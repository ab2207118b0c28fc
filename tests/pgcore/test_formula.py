"""Formulas: tables worked by hand, precedence, errors with their character, fuzz."""

from __future__ import annotations

import ast
import inspect
import pickle
import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pgcore.formula
from pgcore.formula import (
    FUNCTIONS,
    LARGEST,
    MAX_DEPTH,
    MAX_LENGTH,
    NAMES,
    OPERATIONS,
    FormulaError,
    parse,
)

Q = np.array([[4.0, 3.0, 2.0, 7.0], [1.0, 1.0, 1.0, 1.0]])  # [S, T]
V = np.array([[1.0, 2.0, 0.5, -4.0], [0.0, 1.0, 2.0, 3.0]])
BATCH = {
    "q": Q,
    "v": V,
    "r": np.ones((2, 4)),
    "a": np.array([[0, 1, 1, 0], [1, 1, 0, 1]]),
    "p": np.array([[0.5, 0.25, 0.75, 0.9], [0.1, 0.2, 0.3, 0.4]]),
    "m": np.array([[3.0], [2.0]]),  # [S, 1]
    "gamma": 0.99,
    "x": V / 10,
    "dx": V / 5,
    "theta": Q / 100,
    "dtheta": Q / 50,
}
NUMBER = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


@pytest.mark.parametrize(
    ("text", "first_seed"),
    [
        ("q", [4, 3, 2, 7]),
        ("b = v", [3, 1, 1.5, 11]),
        ("psi = q - v", [3, 1, 1.5, 11]),
        ("Ψ = Q_t − V_t", [3, 1, 1.5, 11]),
        ("b = mean(q)", [0, -1, -2, 3]),
        ("b = m", [1, 0, -1, 4]),
        ("b = 2 * v - 1", [3, 0, 2, 16]),
        ("std(q)", [np.sqrt(3.5)] * 4),
        ("median(q)", [3.5] * 4),
        ("min(q)", [2] * 4),
        ("max(q)", [7] * 4),
        ("min(q, v + 3)", [4, 3, 2, -1]),
        ("max(q, 3.5)", [4, 3.5, 3.5, 7]),
        ("cumsum(q)", [4, 7, 9, 16]),
        ("cumsum(1)", [1, 2, 3, 4]),
        ("cumsum(mean(q))", [4, 8, 12, 16]),
        ("roll(q, 1)", [7, 4, 3, 2]),
        ("roll(q, -1)", [3, 2, 7, 4]),
        ("roll(q, 5)", [7, 4, 3, 2]),
        ("roll(t, 1)", [3, 0, 1, 2]),
        ("abs(v)", [1, 2, 0.5, 4]),
        ("sign(v)", [1, 1, 1, -1]),
        ("sqrt(q)", [2, np.sqrt(3), np.sqrt(2), np.sqrt(7)]),
        ("exp(v)", np.exp([1, 2, 0.5, -4])),
        ("log(q)", np.log([4, 3, 2, 7])),
        ("clip(v, -1, 1)", [1, 1, 0.5, -1]),
        ("t / T", [0, 0.25, 0.5, 0.75]),
        ("a + p + r", [1.5, 2.25, 2.75, 1.9]),
        ("gamma * x", [0.099, 0.198, 0.0495, -0.396]),
        ("dx - theta - dtheta", [0.08, 0.31, 0.04, -1.01]),
        (".5 + 1. + 2e1 + 1E-1", [21.6] * 4),
    ],
)
def test_values_worked_by_hand(text, first_seed):
    np.testing.assert_allclose(parse(text)(BATCH)[0], first_seed, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2 + 3 * 4", 14),
        ("(2 + 3) * 4", 20),
        ("2 - 3 - 4", -5),
        ("2 - (3 - 4)", 3),
        ("24 / 4 / 2", 3),
        ("24 / (4 / 2)", 12),
        ("24 / 4 * 2", 12),
        ("2 ^ 3 ^ 2", 512),
        ("(2 ^ 3) ^ 2", 64),
        ("2 ** 3 ** 2", 512),
        ("-2 ^ 2", -4),
        ("(-2) ^ 2", 4),
        ("2 ^ -1 * 3", 1.5),
        ("2 * -3", -6),
        ("--2", 2),
        ("2 - -3", 5),
        ("+2", 2),
        ("-2 * 3 + 1", -5),
        ("2 · 3 × 4 − 1", 23),
        ("0 ^ 0", 1),
    ],
)
def test_precedence(text, value):
    assert (parse(text)(BATCH) == value).all()


@given(
    st.lists(st.sampled_from(["q", "v", "r", "t", "2", "0.5", "3"]), min_size=2, max_size=9),
    st.lists(st.sampled_from(["+", "-", "*", "/", "**", " - -", "*-", "**-"]), min_size=8),
    st.sampled_from(["", "-"]),
)
@settings(max_examples=300, deadline=None)
def test_chains_without_brackets_mean_what_they_mean_in_python(operands, operators, sign):
    text = sign + operands[0]
    text += "".join(op + name for op, name in zip(operators, operands[1:], strict=False))
    numbers = re.sub(r"\b([0-9.]+)\b", r"F(\1)", text)
    known = {"q": Q, "v": V, "r": np.ones((2, 4)), "t": np.arange(4.0) + np.zeros((2, 1))}
    with np.errstate(all="ignore"):
        expected = eval(numbers, {**known, "F": lambda x: np.full((2, 4), float(x))})
    if (np.abs(expected) <= LARGEST).all():
        assert np.array_equal(parse(text)(BATCH), expected)
    else:
        with pytest.raises(FormulaError, match="gives"):
            parse(text)(BATCH)


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("", 0, "empty"),
        ("  \t", 0, "empty"),
        ("b =  ", 3, "missing at the end"),
        ("q +", 3, "missing at the end"),
        ("q * / v", 4, "missing before /"),
        ("mean()", 5, "missing before )"),
        ("b == v", 3, "missing before ="),
        ("q - mena(q)", 4, "did you mean mean?"),
        ("q - Gama", 4, "did you mean gamma?"),
        ("q - zzz", 4, "known are q, v"),
        ("q - clamp(v)", 4, "did you mean"),
        ("q - v(s)", 4, "v is not a function"),
        ("q - mean", 4, "mean is a function"),
        ("q - b", 4, "only at the start"),
        ("q - mean(v", 8, "never closed"),
        ("(q", 0, "never closed"),
        ("q - v)", 5, "closes none"),
        ("2 q", 2, "operator is missing before q"),
        ("q min v", 2, "operator is missing before min"),
        ("q roll (1)", 2, "operator is missing before roll"),
        ("q (v)", 0, "q is not a function"),
        ("2(v)", 1, "operator is missing before ("),
        ("a = v", 0, "Only b or psi"),
        ("b = v = q", 6, "= cannot stand here"),
        ("q, v", 1, ", cannot stand here"),
        ("(q, v)", 2, ", cannot stand here"),
        ("q - clip(v, 1)", 4, "clip takes 3 arguments, not 2"),
        ("min(q, v, r)", 0, "min takes 1 or 2 arguments, not 3"),
        ("mean(q, v)", 0, "mean takes 1 argument, not 2"),
        ("roll(q, v)", 8, "whole number"),
        ("roll(q, 1.0)", 8, "whole number"),
        ("roll(q, 1000)", 8, "whole number"),
        ("roll(q, 1 + 1)", 10, "whole number"),
        ("q - 1e999", 4, "too large"),
        ("q $ v # r", 2, "'$' has no meaning"),
        ("q - é", 4, "'é' has no meaning"),
        ("q" * 201, MAX_LENGTH, "at most 200 characters"),
        ("(" * 40 + "q", MAX_DEPTH, "at most 32 deep"),
        ("-" * 40 + "q", MAX_DEPTH, "at most 32 deep"),
    ],
)
def test_errors_say_what_and_where(text, position, says):
    with pytest.raises(FormulaError) as caught:
        parse(text)
    assert says in str(caught.value)
    assert caught.value.position == position
    assert caught.value.pointer().split("\n")[1] == " " * position + "^"


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')",
        "__import__(q)",
        "q.mean()",
        "q.__class__",
        "q[0]",
        "(lambda: q)()",
        "lambda q: q",
        "[q for q in v]",
        "{q}",
        "'q'",
        "f(q)",
        "eval(q)",
        "open(q)",
        "print(q)",
        "mean(q, axis=0)",
        "mean(*q)",
        "q if v else r",
        "q; v",
        "q := v",
        "q @ v",
        "q // v",
        "q % v",
        "q < v",
        "not q",
        "1j",
        "0x10",
        "1_000",
        "٣",  # a digit of another script
        "ｑ",  # a letter that Python would fold to q
        "q\0",
        "q\u202ev",
        "\ud800",
        "self",
        "np",
        "inf",
        "nan",
        "None",
    ],
)
def test_nothing_of_python_gets_in(text):
    with pytest.raises(FormulaError):
        parse(text)


def test_the_module_neither_evaluates_nor_looks_up_by_text():
    tree = ast.parse(inspect.getsource(pgcore.formula))
    called = {
        n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and hasattr(n.func, "id")
    }
    imported = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    imported |= {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    assert "len" in called
    assert not called & {"eval", "exec", "compile", "getattr", "globals", "vars", "__import__"}
    assert not imported & {"ast", "pgcore", "importlib", "builtins"}


@pytest.mark.parametrize(
    ("text", "says", "position"),
    [
        ("q / (v - v)", "infinity at t = 0: look at q/(v-v)", 2),
        ("b = q / (t - 2)", "infinity at t = 2: look at q/(t-2)", 6),
        ("log(v)", "NaN at t = 3: look at log(v)", 0),
        ("q - sqrt(v)", "NaN at t = 3: look at sqrt(v)", 4),
        ("9^9^9^9", "infinity at t = 0: look at 9^9^9", 3),
        ("exp(q * 1000)", "infinity at t = 0: look at exp(q*1000)", 0),
        ("exp(exp(9)) - exp(exp(9))", "NaN at t = 0: look at exp(exp(9))", 0),
        ("1 / exp(50) + log(-1)", "NaN at t = 0: look at log(-1)", 14),
        ("q * 1e6 * 1e6", "beyond 1e+12 at t = 0: look at q*1e6*1e6", 8),
        ("(0 - 8) ^ .5", "NaN at t = 0: look at (0-8)^.5", 8),
        ("cumsum(q / 0)", "infinity at t = 0: look at q/0", 9),
        ("median(log(v))", "NaN at t = 0: look at log(v)", 7),
    ],
)
def test_what_is_not_finite_is_reported(text, says, position):
    with pytest.raises(FormulaError, match=re.escape(says)) as caught:
        parse(text)(BATCH)
    assert caught.value.position == position


def test_an_infinity_on_the_way_to_a_finite_weight_is_no_error():
    assert (parse("1 / exp(1000)")(BATCH) == 0).all()


def test_arrays_that_do_not_fit():
    with pytest.raises(FormulaError, match="does not hold theta") as caught:
        parse("q - theta")({"q": Q})
    assert caught.value.position == 4
    square = {"q": np.ones((3, 3)), "m": np.arange(3.0)}  # [S] would pass for [T]
    for batch in ({"v": V}, {"q": 1.0}, {"q": np.ones((2, 0))}):
        with pytest.raises(ValueError, match=r"needs q of shape"):
            parse("b = m")(batch)
    for batch in (square, {"q": Q, "m": np.ones((3, 1))}):
        with pytest.raises(ValueError, match="m is neither a number nor"):
            parse("b = m")(batch)


def test_the_result_is_a_new_array_of_qs_precision():
    q = np.ones((2, 3), np.float32)
    psi = parse("q")({"q": q})
    assert psi.dtype == q.dtype and psi.flags.writeable
    psi[:] = 7
    assert (q == 1).all()
    assert parse("b = 1e-3")({"q": np.ones((5, 2, 3))}).shape == (5, 2, 3)
    assert (parse("q - mean(q) + std(q) + roll(q, 1)")({"q": [[4.0]]}) == 4).all()  # T = 1


ALL_OF_IT = [
    "(q - mean(q)) / (std(q) + 1e-8)",
    "median(q) + min(v) + max(x) * cumsum(v)",
    "exp(clip(v, -1, 1)) ^ p - log(abs(q) + 1) + sqrt(abs(x))",
    "roll(q, 2) - gamma * roll(v, -1) + mean(m) + cumsum(gamma * t / T)",
]


@pytest.mark.parametrize("text", ALL_OF_IT)
def test_a_seed_alone_has_the_same_bits_as_among_many(text):
    rng = np.random.default_rng(0)
    batch = {n: rng.random((37, 33)) for n in ("q", "v", "x", "p")} | {"m": rng.random((37, 1))}
    together = parse(text)({**batch, "gamma": 0.99})
    transposed = {n: np.asfortranarray(x) for n, x in batch.items()}
    assert np.array_equal(parse(text)({**transposed, "gamma": 0.99}), together)
    for s in (0, 5, 36):
        alone = {n: x[s : s + 1] for n, x in batch.items()}
        assert np.array_equal(parse(text)({**alone, "gamma": 0.99})[0], together[s])


@pytest.mark.parametrize(
    ("text", "canonical", "latex"),
    [
        ("b = v", "b=v", r"Q_t - V_\phi(s_t)"),
        ("b = -v", "b=-v", r"Q_t - \left(-V_\phi(s_t)\right)"),
        ("q-(mean(q))", "q-mean(q)", r"Q_t - \bar Q"),
        ("b=mean(r+v)", "b=mean(r+v)", r"Q_t - \overline{r_t + V_\phi(s_t)}"),
        ("((q-v))/(2)", "(q-v)/2", r"\frac{Q_t - V_\phi(s_t)}{2}"),
        ("q/1e-8", "q/1e-8", r"\frac{Q_t}{10^{-8}}"),
        ("2.5e3*q", "2.5e3*q", r"2.5 \cdot 10^{3} \cdot Q_t"),
        ("(q/v)**2", "(q/v)^2", r"\left(\frac{Q_t}{V_\phi(s_t)}\right)^{2}"),
        ("q^(v+1)", "q^(v+1)", r"Q_t^{V_\phi(s_t) + 1}"),
        ("q-(v-r)", "q-(v-r)", r"Q_t - \left(V_\phi(s_t) - r_t\right)"),
        ("(q-v)-r", "q-v-r", r"Q_t - V_\phi(s_t) - r_t"),
        ("gamma*roll(v,-1)", "gamma*roll(v,-1)", r"\gamma \cdot \left[V_\phi(s_t)\right]_{t+1}"),
        ("min(q,+v)", "min(q,v)", r"\min\left(Q_t, V_\phi(s_t)\right)"),
        ("m*p", "m*p", r"m_{k-1} \cdot \pi_\theta(a_t\mid s_t)"),
        ("dtheta", "dtheta", r"\dot\vartheta_t"),
    ],
)
def test_written_and_typeset(text, canonical, latex):
    assert str(parse(text)) == canonical
    assert parse(text).latex == rf"\Psi_t = {latex}"


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("q", False),
        ("b = 5", False),
        ("b = v", False),
        ("q - v", False),
        ("-(v - q)", False),
        ("(q - v) - m * t / T", False),
        ("b = m + gamma * theta - dx", False),
        ("b = cumsum(v)", False),  # states up to s_t
        ("b = mean(t)", False),
        ("b = max(v, m)", False),
        ("b = a", True),
        ("b = p * v", True),
        ("b = r", True),
        ("b = q / 2", True),
        ("b = mean(q)", True),
        ("b = mean(v)", True),  # later states follow from the action
        ("b = roll(v, -1)", True),
        ("b = max(x)", True),
        ("r + gamma * roll(v, -1) - v", True),
        ("2 * (q - v)", True),  # twice the gradient: biased as it stands
        ("v - q", True),
        ("q - q", True),
        ("v", True),
    ],
)
def test_uses_action(text, verdict):
    assert parse(text).uses_action is verdict


def test_formulas_compare_hash_and_pickle_by_meaning():
    typed, tidy = parse(" b = ( v ) "), parse("b=v")
    assert typed == tidy and hash(typed) == hash(tidy) and typed != parse("b=v+0")
    assert typed.is_baseline and not parse("q-v").is_baseline
    assert typed.text == " b = ( v ) " and typed.names == ("q", "v")
    assert np.array_equal(pickle.loads(pickle.dumps(typed))(BATCH), Q - V)
    with pytest.raises(FormulaError) as caught:
        parse("q +")
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.position, again.text) == (str(caught.value), 3, "q +")


# --- Fuzz: whatever is typed, either a FormulaError or a finite weight of the right shape. ---


def survives(text: str) -> None:
    try:
        formula = parse(text)
    except FormulaError as error:
        check_error(error, text)
        return
    for node in formula.psi:
        known = node.head in NAMES or NUMBER.fullmatch(node.head)
        assert known if not node.parts else (node.head, len(node.parts)) in OPERATIONS
    assert set(formula.names) <= set(NAMES)
    called = sum(node.head in FUNCTIONS for node in formula.psi)
    assert called == len(re.findall(rf"\b(?:{'|'.join(FUNCTIONS)})\s*\(", text))
    canonical = str(formula)
    assert parse(canonical) == formula and str(parse(canonical)) == canonical
    assert len(canonical) <= len(text)
    assert formula.latex.count("{") == formula.latex.count("}")
    assert formula.latex.count(r"\left") == formula.latex.count(r"\right")
    assert isinstance(formula.uses_action, bool)
    try:
        psi = formula(BATCH)
    except FormulaError as error:
        check_error(error, text)
        assert "gives" in str(error)
        return
    assert psi.shape == Q.shape and (np.abs(psi) <= LARGEST).all()
    assert np.array_equal(parse(canonical)(BATCH), psi)


def check_error(error: FormulaError, text: str) -> None:
    assert 0 <= error.position <= min(len(text), MAX_LENGTH)
    assert error.text == text and str(error) and "\n" not in str(error)
    line, caret = error.pointer().split("\n")
    assert caret == " " * error.position + "^" and len(line) <= MAX_LENGTH + 1


WORDS = [*NAMES, *FUNCTIONS, *"+-*/^(),=.", "**", "b", "psi", "1", "2.5", "1e-8", "9e99", " ", "Q"]


def calls(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def call(name_and_arity: tuple[str, int]) -> st.SearchStrategy[str]:
        name, arity = name_and_arity
        if name == "roll":
            return st.builds("roll({}, {})".format, inner, st.integers(-99, 99))
        arguments = st.lists(inner, min_size=arity, max_size=arity)
        return arguments.map(lambda texts: f"{name}({', '.join(texts)})")

    operators = st.sampled_from(["+", " - ", "*", " / ", "^", "**", "-"])
    functions = [(name, arity) for name, arities in FUNCTIONS.items() for arity in arities]
    return st.one_of(
        st.builds("{}{}{}".format, inner, operators, inner),
        st.builds("({})".format, inner),
        st.builds("-{}".format, inner),
        st.sampled_from(functions).flatmap(call),
    )


LEAVES = st.sampled_from([*NAMES, "0", "1", "2.", ".5", "1e-8", "3e200", "9"])
GRAMMAR = st.builds(
    "{}{}".format,
    st.sampled_from(["", "b = ", "psi=", "Ψ = "]),
    st.recursive(LEAVES, calls, max_leaves=25),
)


@st.composite
def spoilt(draw: st.DrawFn) -> str:
    """A formula of a few words, one of which another word replaces."""
    leaf = st.sampled_from(["q", "v", "2", "(q)", "mean(q)", "roll(v, -1)", "min(q, v)"])
    operator = st.sampled_from([" + ", " - ", " * ", " ^ "])
    text = draw(leaf) + "".join(
        draw(st.lists(st.builds("{}{}".format, operator, leaf), max_size=4))
    )
    words = re.findall(r"[A-Za-z]+|[0-9]+|\S", text)
    words[draw(st.integers(0, len(words) - 1))] = draw(st.sampled_from(WORDS))
    return " ".join(words)


RANDOM = st.one_of(
    st.text(max_size=MAX_LENGTH + 20),
    st.text(alphabet="qvrapt TmbdxΨ−×()+-*/^.,=0123456789e_", max_size=MAX_LENGTH + 20),
    st.lists(st.sampled_from(WORDS), max_size=60).map("".join),
    spoilt(),
)


def fuzz(strategy: st.SearchStrategy[str], examples: int) -> None:
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large]
    chosen = settings(
        max_examples=examples, deadline=None, database=None, suppress_health_check=checks
    )
    chosen(given(strategy)(survives))()


@pytest.mark.parametrize("strategy", [RANDOM, GRAMMAR], ids=["random", "grammar"])
def test_fuzz(strategy):
    fuzz(strategy, 1_500)


@pytest.mark.slow
@pytest.mark.parametrize("strategy", [RANDOM, GRAMMAR], ids=["random", "grammar"])
def test_fuzz_at_length(strategy):
    fuzz(strategy, 50_000)


def test_bounds_are_where_they_are_said_to_be():
    depth = MAX_DEPTH - 1
    assert parse("q" + "-q" * 99).names == parse("(" * depth + "q" + ")" * depth).names == ("q",)
    assert parse("q".ljust(MAX_LENGTH)).names == ("q",)
    for text in ("(" * MAX_DEPTH + "q" + ")" * MAX_DEPTH, "q".ljust(MAX_LENGTH + 1)):
        with pytest.raises(FormulaError, match="at most"):
            parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "q" + "-q" * 99,
        "(" * 30 + "q" + ")" * 30,
        "(" * 100 + "q" + ")" * 100,
        "-" * 199 + "q",
        "2^" * 99 + "2",
        "2^" * 30 + "2",
        "abs(" * 49 + "q",
        "abs(" * 30 + "q" + ")" * 30,
        "9" * 200,
        "." * 200,
        "(" * 200,
        "q" * 10_000_000,
        "=" * 200,
        "1e" * 100,
        "0^-1",
        "1e-" + "9" * 190,
    ],
    ids=lambda text: text[:12],
)
def test_extremes(text):
    survives(text)


def test_grammar_fuzz_reaches_weights_of_every_operation():
    """The fuzz is no use if all that it builds is refused."""
    reached = set()

    @settings(max_examples=400, deadline=None, database=None, derandomize=True)
    @given(GRAMMAR)
    def collect(text: str) -> None:
        try:
            formula = parse(text)
            formula(BATCH)
        except FormulaError:
            return
        reached.update((n.head, len(n.parts)) for n in formula.psi if n.parts)

    collect()
    assert reached == set(OPERATIONS)
