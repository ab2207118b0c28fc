r"""A reader's own baseline, or whole weight, typed in the lecture's notation.

``b = v`` is a baseline, Psi_t = Q_t - V(s_t); ``psi = (q - mean(q)) / (std(q) + 1e-8)``, or the
same without ``psi =``, is the whole weight. The text is parsed by this grammar into a tree, which
numpy evaluates; none of it ever reaches Python.

    formula = [ ( "b" | "psi" ) "=" ] sum .
    sum     = product { ( "+" | "-" ) product } .
    product = signed { ( "*" | "/" ) signed } .
    signed  = ( "+" | "-" ) signed | power .
    power   = operand [ ( "^" | "**" ) signed ] .        -x^2 is -(x^2), 2^3^2 is 2^(3^2)
    operand = number | name | function "(" sum { "," sum } ")" | "(" sum ")" .

NAMES and OPERATIONS are all there is; length, nesting and shifts are bounded. Arrays are [..., T]:
the last axis is time, and nothing looks across seeds.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple, NoReturn

import numpy as np
from numpy.typing import ArrayLike

MAX_LENGTH, MAX_DEPTH = 200, 32
LARGEST = 1e12  # size of a weight, so that its variance and fourth moment stay finite
_SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(5)  # how tightly a node binds

Reach = IntEnum("Reach", "BEFORE STATE ACTION")  # what a value may know: only the past, s_t, a_t


class Name(NamedTuple):
    latex: str
    meaning: str
    reach: Reach


class Operation(NamedTuple):
    compute: Callable[..., np.ndarray]
    latex: str
    rank: int = _ATOM
    sides: tuple[int, ...] = (_SUM, _SUM, _SUM)  # an operand of lower rank stands in brackets
    gathers: bool = False  # looks at other steps, later ones too


NAMES = {
    "q": Name("Q_t", "discounted return, bootstrapped", Reach.ACTION),
    "v": Name(r"V_\phi(s_t)", "critic's value of the state", Reach.STATE),
    "r": Name("r_t", "reward", Reach.ACTION),
    "a": Name("a_t", "action taken", Reach.ACTION),
    "p": Name(r"\pi_\theta(a_t\mid s_t)", "probability of the action taken", Reach.ACTION),
    "t": Name("t", "position in the batch, 0 to T - 1", Reach.BEFORE),
    "T": Name("T", "steps in the batch", Reach.BEFORE),
    "m": Name("m_{k-1}", "running mean of q over earlier batches", Reach.BEFORE),
    "gamma": Name(r"\gamma", "discount factor", Reach.BEFORE),
    "x": Name("x_t", "position of the cart", Reach.STATE),
    "dx": Name(r"\dot x_t", "velocity of the cart", Reach.STATE),
    "theta": Name(r"\vartheta_t", "angle of the pole", Reach.STATE),
    "dtheta": Name(r"\dot\vartheta_t", "angular velocity of the pole", Reach.STATE),
}


def _whole(reduce: Callable[..., np.ndarray], latex: str) -> Operation:
    """One number a batch: [..., T] -> [..., 1]."""
    return Operation(lambda x: reduce(x, axis=-1, keepdims=True), latex, gathers=True)


def _roll(x: np.ndarray, shift: np.ndarray) -> np.ndarray:
    return np.roll(x, int(shift.flat[0]), axis=-1)


OPERATIONS = {  # by head and number of operands
    ("+", 2): Operation(np.add, "{0} + {1}", _SUM, (_SUM, _PRODUCT)),
    ("-", 2): Operation(np.subtract, "{0} - {1}", _SUM, (_SUM, _PRODUCT)),
    ("*", 2): Operation(np.multiply, r"{0} \cdot {1}", _PRODUCT, (_PRODUCT, _SIGN)),
    ("/", 2): Operation(np.divide, r"\frac{{{0}}}{{{1}}}", _PRODUCT, (_PRODUCT, _SIGN)),
    ("-", 1): Operation(np.negative, "-{0}", _SIGN, (_SIGN,)),
    ("^", 2): Operation(np.power, "{0}^{{{1}}}", _POWER, (_ATOM, _SIGN)),
    ("mean", 1): _whole(np.mean, r"\overline{{{0}}}"),
    ("std", 1): _whole(np.std, r"\operatorname{{std}}\left({0}\right)"),  # ddof = 0
    ("median", 1): _whole(np.median, r"\operatorname{{median}}\left({0}\right)"),
    ("min", 1): _whole(np.min, r"\min_t\left({0}\right)"),
    ("max", 1): _whole(np.max, r"\max_t\left({0}\right)"),
    ("roll", 2): Operation(_roll, r"\left[{0}\right]_{{t{1}}}", gathers=True),  # wraps
    ("cumsum", 1): Operation(
        lambda x: np.cumsum(x, axis=-1), r"\operatorname{{cumsum}}\left({0}\right)"
    ),  # up to t, so that it knows no more than its operand
    ("min", 2): Operation(np.minimum, r"\min\left({0}, {1}\right)"),
    ("max", 2): Operation(np.maximum, r"\max\left({0}, {1}\right)"),
    ("clip", 3): Operation(np.clip, r"\operatorname{{clip}}\left({0}, {1}, {2}\right)"),
    ("abs", 1): Operation(np.abs, r"\left|{0}\right|"),
    ("sign", 1): Operation(np.sign, r"\operatorname{{sign}}\left({0}\right)"),
    ("sqrt", 1): Operation(np.sqrt, r"\sqrt{{{0}}}"),
    ("exp", 1): Operation(np.exp, r"\exp\left({0}\right)"),
    ("log", 1): Operation(np.log, r"\log\left({0}\right)"),
}
FUNCTIONS = {
    name: [n for head, n in OPERATIONS if head == name] for name, _ in OPERATIONS if name.isalpha()
}
_INFIX = {head: o for (head, n), o in OPERATIONS.items() if n == 2 and head not in FUNCTIONS}
_TYPESET = {  # rank and sides where LaTeX differs: a fraction and an exponent need no brackets
    ("/", 2): (_POWER, (_SUM, _SUM)),
    ("^", 2): (_POWER, (_ATOM, _SUM)),
    ("-", 1): (_SUM, (_SIGN,)),
}
_SAME = {"**": "^", "−": "-", "·": "*", "×": "*", "Ψ": "psi", "ψ": "psi", "Psi": "psi"}
_SAME |= {"Q": "q", "V": "v", "Q_t": "q", "V_t": "v", "r_t": "r", "a_t": "a"}
_TOKEN = re.compile(
    r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[A-Za-z_][A-Za-z_0-9]*|\*\*"
    r"|[-+*/^(),=−·×Ψψ]|(?P<strange>\S)"
)


class FormulaError(ValueError):
    """One plain sentence, and the character of `text` (0-based) that it speaks of."""

    def __init__(self, sentence: str, text: str = "", position: int = 0) -> None:
        super().__init__(sentence)
        self.text, self.position = text, position

    def pointer(self) -> str:
        """The text on one line and, below it, a caret under the character."""
        line = "".join(c if c.isprintable() else " " for c in self.text[: MAX_LENGTH + 1])
        return f"{line}\n{' ' * self.position}^"


@dataclass(frozen=True)
class Node:
    """A number, name, operator or function with its operands; equal wherever it stands."""

    head: str
    at: int = field(default=0, compare=False)
    parts: tuple[Node, ...] = ()

    @property
    def operation(self) -> Operation:
        return OPERATIONS[self.head, len(self.parts)]

    def __iter__(self) -> Iterator[Node]:
        yield self
        for part in self.parts:
            yield from part


@dataclass(frozen=True)
class Formula:
    """A parsed formula: call it with the arrays of a batch, by name, to get Psi.

    Formulas are equal when their trees are. `str` is the canonical text: never longer than the
    text typed, and it parses to an equal formula.
    """

    text: str = field(compare=False)  # as typed
    psi: Node  # the whole weight
    is_baseline: bool  # typed as b = ..., so psi is q - b

    def __str__(self) -> str:
        return "b=" + _written(self.psi.parts[1]) if self.is_baseline else _written(self.psi)

    @property
    def latex(self) -> str:
        return rf"\Psi_t = {_typeset(self.psi)}"

    @property
    def names(self) -> tuple[str, ...]:
        """The names that Psi reads, in the order of NAMES."""
        heads = {node.head for node in self.psi}
        return tuple(name for name in NAMES if name in heads)

    @property
    def uses_action(self) -> bool:
        """Whether b in Psi = Q - b may depend on a_t, as far as the text tells.

        It may when b reads q, r, a or p, when b gathers states of other steps (mean(v) holds
        V(s_{t+1}), which a_t led to), and when Psi is not written as q plus other terms.
        """
        terms = list(_terms(self.psi))
        if (1, Node("q")) not in terms:
            return True
        terms.remove((1, Node("q")))
        return any(_reach(node) is Reach.ACTION for _, node in terms)

    def __call__(self, batch: Mapping[str, ArrayLike]) -> np.ndarray:
        """Psi [..., T] in the precision of q, as the estimators compute.

        `q` [..., T] sets the shape and all else broadcasts to it: a value per seed is [..., 1].
        `t` and `T` are derived. Raises FormulaError where Psi is NaN or larger than LARGEST and
        where the batch lacks a name, ValueError where the arrays do not fit.
        """
        shape = np.shape(batch.get("q", ()))
        if not shape or 0 in shape:
            raise ValueError(f"The batch needs q of shape [..., T], T > 0, and has {list(shape)}.")
        steps = np.broadcast_to(np.arange(shape[-1]), shape)
        known = {**batch, "t": steps, "T": shape[-1]}
        for node in (node for node in self.psi if node.head in NAMES):
            if node.head not in known:
                raise FormulaError(f"This batch does not hold {node.head}.", self.text, node.at)
            if not _fits(np.shape(known[node.head]), shape):
                raise ValueError(f"{node.head} is neither a number nor of the shape {list(shape)}.")
        with np.errstate(all="ignore"):
            psi = _value(self.psi, known, shape)
            if _sound(psi):
                return psi.copy()
            culprit = _culprit(self.psi, known, shape)
        step = np.argwhere(~(np.abs(psi) <= LARGEST))[0, -1]
        size = "infinity" if np.isinf(psi).any() else f"a number beyond {LARGEST:g}"
        what = "NaN" if np.isnan(psi).any() else size
        sentence = f"The formula gives {what} at t = {step}: look at {_written(culprit)}."
        raise FormulaError(sentence, self.text, culprit.at)


def parse(text: str) -> Formula:
    """The formula that `text` spells; FormulaError, with the character, where it spells none."""
    parser, left, at = _Parser(text), "psi", 0
    if len(parser.tokens) > 1 and parser.tokens[-2][0] == "=":
        (left, at), _ = parser.tokens.pop(), parser.tokens.pop()
    if left not in ("b", "psi"):
        parser.fail("Only b or psi can stand to the left of =.", at)
    tree = parser.expression(_SUM)
    if parser.next:
        parser.misfit()
    psi = Node("-", at, (Node("q", at), tree)) if left == "b" else tree
    return Formula(text, psi, is_baseline=left == "b")


class _Parser:
    """Precedence climbing over `tokens`, pairs of a token and its position, the next one last."""

    def __init__(self, text: str) -> None:
        self.text, self.depth = text, 0
        if len(text) > MAX_LENGTH:
            self.fail(f"A formula has at most {MAX_LENGTH} characters.", MAX_LENGTH)
        if not text.strip():
            self.fail("The formula is empty.", 0)
        tokens = [*_TOKEN.finditer(text)]
        for token in tokens:
            if token["strange"]:
                self.fail(f"The character {token[0]!r} has no meaning in a formula.", token.start())
        self.tokens = [(_SAME.get(token[0], token[0]), token.start()) for token in tokens]
        self.tokens = [*self.tokens, ("", len(text.rstrip()))][::-1]

    @property
    def next(self) -> str:
        return self.tokens[-1][0]

    def expression(self, least: int) -> Node:
        """An operand and every operator after it of rank `least` or more."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.fail(f"A formula nests at most {MAX_DEPTH} deep.", self.tokens[-1][1])
        tree = self.operand()
        while (operator := _INFIX.get(self.next)) and operator.rank >= least:
            head, at = self.tokens.pop()
            tree = Node(head, at, (tree, self.expression(operator.sides[1])))
        self.depth -= 1
        return tree

    def operand(self) -> Node:
        head, at = self.tokens.pop()
        if head in ("+", "-"):
            tree = self.expression(_SIGN)
            return Node(head, at, (tree,)) if head == "-" else tree
        if head == "(":
            return self.bracketed(at)[0]
        if head in FUNCTIONS and self.next == "(":
            return self.call(head, at)
        if head in NAMES and self.next != "(":
            return Node(head, at)
        if head[:1] not in tuple("0123456789."):
            self.strange(head, at)
        if np.isinf(float(head)):
            self.fail(f"The number {head} is too large.", at)
        return Node(head, at)

    def bracketed(self, opening: int, most: int = 1) -> tuple[Node, ...]:
        """Up to `most` expressions between commas, and the closing bracket."""
        parts = [self.expression(_SUM)]
        while self.next == "," and len(parts) < most:
            self.tokens.pop()
            parts.append(self.expression(_SUM))
        if not self.next:
            self.fail("This bracket is never closed.", opening)
        if self.next != ")":
            self.misfit()
        self.tokens.pop()
        return tuple(parts)

    def call(self, head: str, at: int) -> Node:
        parts = self.bracketed(self.tokens.pop()[1], MAX_LENGTH)
        if len(parts) not in FUNCTIONS[head]:
            allowed = " or ".join(map(str, FUNCTIONS[head]))
            noun = "argument" if allowed == "1" else "arguments"
            self.fail(f"{head} takes {allowed} {noun}, not {len(parts)}.", at)
        if head == "roll" and not re.fullmatch("-?[0-9]{1,3}", _written(parts[1])):
            self.fail("roll shifts by a whole number from -999 to 999.", parts[1].at)
        return Node(head, at, parts)

    def fail(self, sentence: str, at: int) -> NoReturn:
        raise FormulaError(sentence, self.text, at)

    def misfit(self) -> NoReturn:
        """Of a token where an operator, a closing bracket or the end should stand."""
        head, at = self.tokens[-1]
        if head == ")":
            self.fail("This bracket closes none.", at)
        if head in (",", "="):
            self.fail(f"The sign {head} cannot stand here.", at)
        self.fail(f"An operator is missing before {head}.", at)

    def strange(self, head: str, at: int) -> NoReturn:
        """Of a token where an operand should stand, or of a name used as what it is not."""
        if not re.match("[A-Za-z_]", head):
            where = f"before {head}" if head else "at the end"
            self.fail(f"A number, a name or a bracket is missing {where}.", at)
        if head in NAMES:
            self.fail(f"{head} is not a function; {head} * (...) is a product.", at)
        if head in FUNCTIONS:
            self.fail(f"{head} is a function and needs brackets after it.", at)
        if head in ("b", "psi"):
            self.fail(f"{head} stands only at the start, before =.", at)
        known = [*FUNCTIONS] if self.next == "(" else [*NAMES, *FUNCTIONS]
        close = difflib.get_close_matches(head.lower(), known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}."
        self.fail(f"{head} is not known here; {hint}", at)


def _written(node: Node, least: int = _SUM) -> str:
    """The canonical text, in brackets where the node binds less tightly than `least`."""
    if not node.parts:
        return node.head
    _, _, rank, sides, _ = node.operation
    operands = [*map(_written, node.parts, sides)]
    if node.head in FUNCTIONS:
        return f"{node.head}({','.join(operands)})"
    text = node.head.join(operands if len(operands) > 1 else ["", *operands])
    return text if rank >= least else f"({text})"


def _typeset(node: Node, least: int = _SUM) -> str:
    """The same in LaTeX: Q_t, its mean over the batch \\bar Q, powers of ten."""
    head, parts = node.head, node.parts
    if head in NAMES:
        return NAMES[head].latex
    if head == "mean" and parts[0].head in ("q", "v", "r"):
        return rf"\bar {NAMES[parts[0].head].latex[0]}"
    if parts:
        key, (_, latex, rank, sides, _) = (head, len(parts)), node.operation
        rank, sides = _TYPESET.get(key, (rank, sides))
        operands = [*map(_typeset, parts, sides)]
        if head == "roll":
            operands[1] = f"{-int(_written(parts[1])):+d}"
        text = latex.format(*operands)
    else:
        digits, e, exponent = head.lower().partition("e")
        text, rank = (rf"{digits} \cdot 10^{{{int(exponent)}}}", _PRODUCT) if e else (head, _ATOM)
        text = text.removeprefix(r"1 \cdot ")
    return text if rank >= least else rf"\left({text}\right)"


def _terms(node: Node, sign: int = 1) -> Iterator[tuple[int, Node]]:
    """The terms that add up to the node, each with its sign."""
    if node.head not in ("+", "-"):
        yield sign, node
        return
    *left, right = node.parts
    for part in left:
        yield from _terms(part, sign)
    yield from _terms(right, -sign if node.head == "-" else sign)


def _reach(node: Node) -> Reach:
    if not node.parts:
        return NAMES[node.head].reach if node.head in NAMES else Reach.BEFORE
    reach = max(map(_reach, node.parts))
    return Reach.ACTION if node.operation.gathers and reach is Reach.STATE else reach


def _value(node: Node, known: Mapping[str, ArrayLike], shape: tuple[int, ...]) -> np.ndarray:
    """[..., T] in q's precision, so that a formula that spells an estimator has its very bits;
    contiguous at every node, so that no seed's digits depend on the seeds beside it."""
    if node.parts:
        value = node.operation.compute(*(_value(part, known, shape) for part in node.parts))
    else:
        dtype = np.result_type(np.asarray(known["q"]), np.float32)
        value = np.asarray(known[node.head] if node.head in NAMES else float(node.head), dtype)
    return np.ascontiguousarray(np.broadcast_to(value, shape))


def _sound(value: np.ndarray) -> bool:
    return bool((np.abs(value) <= LARGEST).all())


def _culprit(node: Node, known: Mapping[str, ArrayLike], shape: tuple[int, ...]) -> Node:
    """The innermost node to which an unsound value goes back."""
    for part in node.parts:
        if not _sound(_value(part, known, shape)):
            return _culprit(part, known, shape)
    return node


def _fits(given: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """A number, or axis for axis: numpy alone would take [S] for [T] where S = T."""
    return not given or (
        len(given) == len(shape) and all(n in (1, m) for n, m in zip(given, shape, strict=True))
    )
