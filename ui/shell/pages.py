"""The list of pages: app.py's navigation, the tests and the README are made from it."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st


class Page(NamedTuple):
    """One lesson: its file in pages/, its section, name and the question it answers."""

    file: str
    section: str
    title: str
    question: str

    @property
    def path(self) -> str:
        return f"pages/{self.file}.py"


# No icons: the browser would take a page's icon for the tab's and fetch it from outside.
PAGES = [
    Page("start", "Experiment", "Start", "What is this lab about?"),
    Page("train", "Experiment", "Train", "Does a baseline help?"),
    Page("seeds", "Experiment", "Seeds", "How much of what you see is luck?"),
    Page("watch", "Experiment", "Watch", "What has it learned?"),
    Page("inside", "Measure", "Inside one update", "How does a batch become one push?"),
    Page("cloud", "Measure", "The cloud", "How many updates point the right way?"),
    Page("parabola", "Measure", "The parabola", "When does a baseline do harm?"),
    Page("variance", "Measure", "Where variance comes from", "Does the critic know the value?"),
    Page("baseline", "Measure", "Your baseline", "Can you beat the value function?"),
    Page("bandit", "Know", "Exact bandit", "What does a baseline change, and what not?"),
    Page("toypole", "Know", "ToyPole", "Do the estimates meet the truth?"),
]


def navigation(**options):
    """Streamlit's navigation over PAGES; the first is the default."""
    sections: dict[str, list] = {}
    for page in PAGES:
        entry = st.Page(
            page.path,
            title=page.title,
            url_path=page.file,
            default=page is PAGES[0],
        )
        sections.setdefault(page.section, []).append(entry)
    return st.navigation(sections, **options)


def require_frame() -> None:
    """First line of every page: on a fresh server a deep link runs the page without app.py."""
    if not st.session_state.get("framed"):
        navigation(position="hidden")  # turns Streamlit's own discovery of pages/ off
        st.rerun()


def heading(file: str) -> None:
    """The page's title with its one question."""
    page = next(page for page in PAGES if page.file == file)
    st.markdown(f"#### {page.title} · {page.question}")


def contents() -> None:
    """Every page with its question, a column a section."""
    sections = dict.fromkeys(page.section for page in PAGES)
    for column, section in zip(st.columns(len(sections)), sections, strict=True):
        with column:
            st.markdown(f"**{section}**")
            for page in PAGES[1:]:
                if page.section == section:
                    st.page_link(page.path, label=f"**{page.title}** · {page.question}")
