"""The pages' Markdown as HTML: the few signs of it that the lab's sentences use.

Everything is escaped first; what came from outside stays text. Links lead to the lab alone.
"""

from __future__ import annotations

import html
import re

from latex2mathml.converter import convert

from ui.shell import link

_TERM = re.compile(r'<button class="term"[^>]*>(.*?)</button>')
_MATH = re.compile(r"\$\$(.+?)\$\$|\$([^$\n]+)\$", re.DOTALL)
_ICON = re.compile(r":material/\w+:\s*")
_COLOUR = re.compile(r":(blue|orange|green|red|violet|gray)\[([^\]]*)\]")
_MARKER = re.compile(r":color\[●\]\{[^}]*\}\s*")
_LINK = re.compile(r"\[([^\]]+)\]\(([^()\s]+)\)")
_STRONG = re.compile(r"\*\*(.+?)\*\*", re.DOTALL)
_EM = re.compile(r"\*([^*\s](?:[^*]*[^*\s])?)\*")
_KEPT = re.compile("\ue000(\\d+)\ue001")


def rich(markdown: str, base: str) -> str:
    """HTML of one or several paragraphs and lists.

    Args:
        base: the app's address, before which the lab's own links are put.
    """
    kept: list[str] = []

    def keep(piece: str) -> str:
        kept.append(piece)
        return f"\ue000{len(kept) - 1}\ue001"

    text = re.sub("[\ue000\ue001]", "", _TERM.sub(r"\1", markdown))
    text = _MATH.sub(lambda found: keep(formula(found[1] or found[2], bool(found[1]))), text)
    text = re.sub(r"`([^`]+)`", lambda found: keep(f"<code>{html.escape(found[1])}</code>"), text)
    text = re.sub(r"\\([\\*_\[\]`$])", lambda found: keep(html.escape(found[1])), text)
    text = html.escape(_MARKER.sub("", _ICON.sub("", text)), quote=False)
    text = _COLOUR.sub(r"\2", text)
    text = _EM.sub(r"<em>\1</em>", _STRONG.sub(r"<strong>\1</strong>", text))
    text = _LINK.sub(lambda found: keep(_linked(found[1], html.unescape(found[2]), base)), text)
    blocks = "".join(map(_block, re.split(r"\n\s*\n", text.strip())))
    while _KEPT.search(blocks):  # a link's words may hold what was kept
        blocks = _KEPT.sub(lambda found: kept[int(found[1])], blocks)
    return blocks


def inline(markdown: str, base: str) -> str:
    """HTML of one line."""
    return rich(markdown, base).removeprefix("<p>").removesuffix("</p>")


def _block(text: str) -> str:
    if not text.strip():
        return ""
    if head := re.match(r"#+ +(.*)", text):
        return f"<h4>{head[1]}</h4>"
    lines = text.split("\n")
    if all(line.startswith(("- ", "  ")) for line in lines):
        items = re.split(r"^- ", text, flags=re.MULTILINE)[1:]
        return f"<ul>{''.join(f'<li>{item.strip()}</li>' for item in items)}</ul>"
    text = re.sub("  +\n", "<br>", text)
    return f"<p>{text}</p>"


def _linked(words: str, target: str, base: str) -> str:
    """A link to a page of the lab; the words alone, if it leads elsewhere."""
    page, _ = link.split(target)
    if page not in link.PAGES or ":" in target.partition("?")[0] or target.startswith("//"):
        return words
    return f'<a href="{html.escape(base + target)}">{words}</a>'


def formula(latex: str, block: bool) -> str:
    """MathML, which browsers draw by themselves."""
    return convert(latex.strip(), display="block" if block else "inline")
