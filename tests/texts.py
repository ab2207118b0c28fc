"""What a reader meets on a page: the strings of its modules, and their sentences."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
NUMBER = "9"  # stands for what a run puts into a sentence
ENDS = re.compile(r"(?<=[.?!:])\s+|\n\n+|\n- ")
PROGRAM = re.compile(r"datum|=>|<span|</|\bconst\b|resamples_|^\w+=|-[\w-]+:")


def page_text(page: str) -> str:
    """Everything that a page of the lab can say, but for its charts: words, views, its script."""
    files = [ROOT / "pages" / f"{page}.py", *sorted((ROOT / "ui" / page).glob("*.py"))]
    return "\n\n".join(
        text for file in files if not file.name.endswith("charts.py") for text in strings(file)
    )


def strings(file: Path) -> Iterator[str]:
    """The strings of a module that hold words: no docstrings, keys, or programs."""
    tree = ast.parse(file.read_text())
    hidden = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef):
            first = node.body[0] if node.body else None
            hidden |= {id(first.value)} if isinstance(first, ast.Expr) else set()
        if isinstance(node, ast.JoinedStr):
            hidden |= {id(part) for part in node.values}
        if isinstance(node, ast.Raise):
            hidden |= {id(part) for part in ast.walk(node)}
    for node in ast.walk(tree):
        text = "" if id(node) in hidden else _text(node)
        if " " in text and not PROGRAM.search(text):
            yield text


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) or NUMBER for part in node.values)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return ""


def sentences(text: str) -> Iterator[str]:
    """Sentences of Markdown; a formula counts as one word, a linked term as what is shown."""
    text = re.sub(r"\[\[(\w+)\]\]", r"\1", text)
    text = re.sub(r"\[\[\w+\|([^\]]+)\]\]", r"\1", text)
    text = re.sub(r"\$\$.*?\$\$", ".\n\n", text, flags=re.DOTALL)
    text = re.sub(r"\$[^$]*\$", "x", text)
    for sentence in ENDS.split(text):
        if sentence.strip():
            yield " ".join(sentence.split())
