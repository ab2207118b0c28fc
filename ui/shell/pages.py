"""The list of pages, each with what its links may hold.

app.py's navigation, the links, the tests and the README are made from it. A page's parameters are
declared here; link.py reads, checks, keeps and writes them.
"""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from pgcore.algorithms import ALGORITHMS
from pgcore.exercises import TASKS
from pgcore.exhibits import EXHIBITS
from ui.shell import link, live
from ui.shell.link import Parameter, choice, number, secret, several
from ui.shell.series import FIELDS

LARGEST = 2**31 - 1
SEEDS_VIEWS = ("seeds", "band", "lottery", "power", "compare", "noise", "coverage")
WATCH_VIEWS = ("Player", "How it thinks", "Push it", "Gymnasium's picture")
STAGES = ("actions", "returns", "baseline", "weight", "step")
BANDIT_VIEWS = ("One pull", "Same variance, other fate", "Two arms")
POLE_VIEWS = ("Chain", "Estimates and truths", "Batch mean", "Lambda", "Two gradients")
MUSEUM_VIEWS = ("Sort the cards", "Exhibits", "All verdicts")
CLASS_VIEWS = ("room", "join", "seeds")  # the last two stand on the projector
ARMS = ((1, 2, 1.0), (2, 3, 2.0), (3, 5, 4.0))  # number, weight and Q
THETA = (1.2, 0.1, 0.3, -0.6, -0.2)
CRITIC_RATES = (0.005, 0.01, 0.02, 0.05)
COUNTS = (50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000)

# --- what the links of several pages hold ---

AGENT = choice("agent", ALGORITHMS)
SEED = number("seed", 0, LARGEST)
CHECKPOINT = number("checkpoint", 0, 1_000_000)
POLICY = (AGENT, SEED, CHECKPOINT)  # the policy that is watched or measured
BATCHES = number("num_windows", 10, 100_000)
WINDOW_STEPS = number("window_steps", 1, 2048)


class Page(NamedTuple):
    """One lesson: its file in pages/, its section, name, question, and its links' parameters."""

    file: str
    section: str
    title: str
    question: str
    parameters: tuple[Parameter, ...] = ()

    @property
    def path(self) -> str:
        return f"pages/{self.file}.py"


# No icons: the browser would take a page's icon for the tab's and fetch it from outside.
PAGES = [
    Page(
        "start", "Experiment", "Start", "What is this lab about?",
        (choice("carts", (30, 300), 30, "Carts"),),
    ),
    Page("train", "Experiment", "Train", "Does a baseline help?"),
    Page(
        "seeds", "Experiment", "Seeds", "How much of what you see is luck?",
        (
            choice("seeds_view", SEEDS_VIEWS, "seeds"),
            choice("seeds_pool", ("30", "100", "300", "1000"), "300"),
            choice("seeds_score", ("final", "area"), "final"),
            number("seeds_n", 1, 50, 10, label="Seeds in a study, n"),
            choice("seeds_agent", ALGORITHMS),
            number("seeds_seed", 0, LARGEST),
            number("seeds_episodes", 1, 100),
        ),
    ),
    Page(
        "watch", "Experiment", "Watch", "What has it learned?",
        (
            *POLICY,
            choice("episode", ("typical", "best", "worst"), "typical"),
            choice("acts", ("sampled", "greedy"), "sampled"),
            choice("beside", ("alone", "before", "all"), "before"),
            choice("watch_view", WATCH_VIEWS, "Player"),
        ),
    ),
    Page(
        "inside", "Measure", "Inside one update", "How does a batch become one push?",
        (
            *POLICY,
            choice("lens", ALGORITHMS, "actor_critic"),
            number("window", 0, 100_000),
            choice("stage", STAGES, "weight"),
            number("at", 0, 2047),
        ),
    ),
    Page(
        "cloud", "Measure", "The cloud", "How many updates point the right way?",
        (*POLICY, WINDOW_STEPS, several("panels", ALGORITHMS, 4)),
    ),
    Page("parabola", "Measure", "The parabola", "When does a baseline raise the variance?", POLICY),
    Page(
        "variance", "Measure", "Where variance comes from", "Does the critic know the value?",
        (*POLICY, choice("lever_rate", CRITIC_RATES, 0.02, "Learning rate of the other critic")),
    ),
    Page(
        "bootstrap", "Measure", "Why bootstrap",
        "What does a batch do about the steps it has not seen?",
        (*POLICY, WINDOW_STEPS),
    ),
    Page(
        "baseline", "Measure", "Your baseline", "Can you beat the value function?",
        (*POLICY, BATCHES),
    ),
    Page(
        "rewards", "Measure", "Shifted rewards", "What do r − 1 and r − 2 teach the agent?",
        (AGENT, choice("rewards_seeds", (10, 30, 100, 300), 100, "Seeds of each")),
    ),
    Page(
        "bandit", "Know", "Exact bandit", "What does a baseline change, and what not?",
        (
            choice("bandit_view", BANDIT_VIEWS, "One pull"),
            number("bandit_b", -100.0, 100.0, 0.0, 0.1, "Constant baseline b"),
            *(number(f"bandit_w{a}", 1, 20, w, 1, f"Weight of arm {a}") for a, w, _ in ARMS),
            *(number(f"bandit_q{a}", -5.0, 5.0, q, 0.5, f"Q of arm {a}") for a, _, q in ARMS),
            number("bandit_noise", 0.0, 3.0, 0.0, 0.25, "Noise: standard deviation of a reward"),
            number("bandit_pulls", 2, 32, 4, 1, "Pulls in an update"),
            choice("bandit_runs", COUNTS[1:7], 1000, "Runs of each baseline"),
            number("bandit_step", 0.1, 1.0, 0.5, 0.1, "Step size"),
            number("bandit_never", -3.0, 0.5, -1.0, 0.1, "Constant baseline b"),
        ),
    ),
    Page(
        "toypole", "Know", "ToyPole", "Do the estimates meet the truth?",
        (
            choice("pole_view", POLE_VIEWS, "Chain"),
            *(
                number(f"pole_t{x}", -3.0, 3.0, theta, 0.1, f"θ at {x}" + ", the start" * (x == 2))
                for x, theta in enumerate(THETA)
            ),
            number("pole_gamma", 0.0, 0.99, 0.9, 0.01, "Discount γ"),
            number("pole_constant", -5.0, 15.0, 5.0, 0.5, "The constant baseline"),
            choice("pole_n", COUNTS, 1000, "Windows sampled"),
            number("pole_draw", 0, 1_000_000, 0, 1, "Draw"),
            number("pole_error", 0.0, 3.0, 0.5, 0.25, "Error of the critic, V ± e"),
            choice("pole_averaged", (1, 10, 100, 1000), 100, "Windows averaged in an update"),
            number("pole_radius", 0.5, 3.0, 2.0, 0.5, "Radius of the walk"),
        ),
    ),
    Page(
        "museum", "Know", "Bug museum",
        "Which bugs crash, which harm in silence, which do nothing?",
        (
            choice("museum_view", MUSEUM_VIEWS, "Sort the cards"),
            choice("exhibit", EXHIBITS),
        ),
    ),
    Page(
        "exercises", "Know", "Exercises", "Can you write the estimators yourself?",
        (choice("task", TASKS),),
    ),
    Page(
        "class", "Teach", "Class", "What does everybody here predict?",
        (choice("class_view", CLASS_VIEWS, "room"),),
    ),
]  # fmt: skip

PARAMETERS = {parameter.name: parameter for page in PAGES for parameter in page.parameters}
LECTURES = ("course", "short")  # the files in ui/lecture/included
SCREEN = secret("screen", r"[\w-]{10,40}")  # of the room whose projector this session is
FRAME = (  # how any page is shown: lecture mode
    choice("present", (0, 1), 0),
    number("zoom", 1.0, 2.5),
    several("show", ("algorithms", "band", *FIELDS, *PARAMETERS), 8),  # controls, in sight
    choice("lecture", LECTURES),
    number("slide", 1, 100, 1),
    SCREEN,
)
PARAMETERS |= {parameter.name: parameter for parameter in FRAME}


def navigation(**options):
    """Streamlit's navigation over PAGES; the first is the default."""
    if "navigation" not in st.session_state:  # each of them looks for its file
        st.session_state["navigation"] = _sections()
    return st.navigation(st.session_state["navigation"], **options)


def _sections() -> dict[str, list]:
    """What the navigation lists, by section."""
    sections: dict[str, list] = {}
    for page in PAGES:
        entry = st.Page(
            page.path,
            title=page.title,
            url_path=page.file,
            default=page is PAGES[0],
        )
        sections.setdefault(page.section, []).append(entry)
    return sections


def arrive(file: str) -> None:
    """Before anything is drawn: another page's widgets have other options."""
    if st.session_state.get("page", file) != file:
        for name in PARAMETERS:
            st.session_state.pop(f"set_{name}", None)
    st.session_state["page"] = file


def begin(file: str) -> None:
    """First line of every page: frame, title with its question, what the link could not have.

    On a fresh server a deep link runs the page without app.py, which has not read the link then.
    """
    if not st.session_state.get("framed"):
        navigation(position="hidden")  # turns Streamlit's own discovery of pages/ off
        st.rerun()
    page = next(page for page in PAGES if page.file == file)
    st.markdown(f"#### {page.title} · {page.question}")
    link.show_refusals()
    if page.section != "Know":  # exact pages run no compiled loop
        live.wait_until_compiled()


def below() -> None:
    """What follows stands below the first screen, where lecture mode ends."""
    if link.get("present"):
        st.stop()


def contents() -> None:
    """Every page with its question, a column a section."""
    sections = dict.fromkeys(page.section for page in PAGES)
    for column, section in zip(st.columns(len(sections)), sections, strict=True):
        with column:
            st.markdown(f"**{section}**")
            for page in PAGES[1:]:
                if page.section == section:
                    st.page_link(page.path, label=f"**{page.title}** · {page.question}")
