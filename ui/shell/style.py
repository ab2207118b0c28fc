"""The few rules of style that Streamlit's theme has no setting for."""

from __future__ import annotations

from functools import cache

import streamlit as st

# It follows a reader who changes the system's theme; the server hears of it too late.
GROUND = "light-dark({}, {})"
# The theme's primary colour is text and ground. Light enough for text on a dark page, it is too
# light for Streamlit's white: what is written on it is dark where the page's own text is light.
RULES = """<style>
[data-testid^="stBaseButton-primary"]:enabled, [data-testid="stMultiSelect"] [data-tag] {{
  color: rgb(from currentcolor calc(255 - r) calc(255 - g) calc(255 - b));
}}
.stMainBlockContainer {{ padding-top: 3.9rem; }}
.stMainBlockContainer h4 {{ padding-block: .2rem .5rem; }}
.st-key-set_algorithms button {{ padding-inline: .55rem; }}  /* eleven in a row of 1120 px */
[data-testid="stCaptionContainer"] a {{ color: inherit; text-decoration: underline; }}
.katex-display {{ padding: 2px 4px; }}
button.term {{ all: unset; cursor: help; text-decoration: underline dotted; }}
button.term:focus-visible {{ outline: 2px solid currentcolor; border-radius: 3px; }}
.entry {{
  max-width: 26rem; padding: 1rem 1.2rem; border: 1px solid #8085958c; border-radius: .5rem;
  background: {background}; color: inherit; font-size: 1rem; line-height: 1.5;
}}
.st-key-whole_window {{  /* covers the page, but for the navigation */
  position: fixed; inset: 3.6rem 0 0; z-index: 1000; width: auto; padding: 1.5rem 4rem;
  overflow: auto; background: {background};
}}
@media (max-width: 640px) {{  /* a phone: two choices in a row, smaller buttons above the page */
  .st-key-choices > [data-testid="stLayoutWrapper"] > [data-testid="stHorizontalBlock"]
    > [data-testid="stColumn"] {{ min-width: calc(50% - .5rem); flex: 1 1 calc(50% - .5rem); }}
  .st-key-path_head {{ gap: .4rem; }}
  .st-key-path_head button {{ min-height: 2rem; padding: .1rem .5rem; }}
  .st-key-path_head [data-testid="stButton"] span:has(> [data-testid="stIconMaterial"]) {{
    display: none;
  }}
  [data-testid="stButtonGroup"] > div {{ flex-wrap: nowrap; overflow-x: auto; }}
  [data-testid="stButtonGroup"] button {{ flex: none; }}
}}
</style>"""


def apply() -> None:
    """Write the rules into the page, once a run."""
    st.html(_rules())


@cache
def _rules() -> str:
    grounds = (st.get_option(f"theme.{theme}.backgroundColor") for theme in ("light", "dark"))
    return RULES.format(background=GROUND.format(*grounds))
