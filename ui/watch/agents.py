"""Which agent plays which episode: the choice, kept by the session and the link, and its cast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd
import streamlit as st

from pgcore.algorithms import ALGORITHMS
from pgcore.episodes import Episode, play, policy_of, typical_best_worst
from pgcore.history import History
from ui.player.episodes import Role
from ui.shell import controls
from ui.watch import words

EPISODES = 20
WHICH = ("typical", "best", "worst")
BESIDE = {"alone": "nobody", "before": "itself, untrained", "all": "the other agents"}
GREY = ALGORITHMS["reinforce"].colour  # for an agent that has learned nothing


@dataclass(frozen=True)
class Choice:
    """An agent at a checkpoint, one of its episodes, and who plays beside it."""

    agent: str
    seed: int
    checkpoint: int  # 0 is before training
    step: int  # environment steps learned by then
    episode: str  # of WHICH
    greedy: bool
    beside: str  # of BESIDE

    @property
    def label(self) -> str:
        return f"{ALGORITHMS[self.agent].name}, seed {self.seed}, {self.step:,} steps"


def choose(histories: Mapping[str, History]) -> Choice:
    """The widgets. What the link asked for and the runs do not have is said in a sentence."""
    with st.container(key="choices"):
        top = st.columns([1.3, 1.2, 1.3, 3])
    with top[0]:
        agent = controls.pick(
            st.selectbox, "agent", "Agent", list(histories), next(iter(histories)),
            format_func=lambda key: ALGORITHMS[key].name,
            help="The algorithm that this agent learned with. More of them are on Train.",
        )  # fmt: skip
    history = histories[agent]
    seeds, steps = history.config.seeds, [0, *history.eval_steps.tolist()]
    last = len(steps) - 1
    with top[1]:
        seed = controls.pick(
            st.selectbox, "seed", "Seed and its return", seeds, seeds[0],
            format_func=lambda s: f"{s}: {history.final_returns[s - seeds[0]]:.0f}",
            help="Another seed: another agent that learned by itself. The number behind it is "
            "its final return.",
        )  # fmt: skip
    with top[2]:
        beside = controls.pick(
            st.selectbox, "beside", "Beside it plays", list(BESIDE), "before",
            format_func=BESIDE.get,
            help="All carts start in the same state and meet the same chance.",
        )  # fmt: skip
    with top[3]:
        checkpoint = controls.pick(
            st.select_slider, "checkpoint", "Checkpoint: environment steps learned",
            range(last + 1), last, format_func=lambda k: f"{steps[k]:,}",
            help="Further left: the same agent, earlier in its training.",
        )  # fmt: skip
    options = dict(required=True, label_visibility="collapsed")
    with st.container(horizontal=True):
        episode = controls.pick(
            st.segmented_control, "episode", "Episode", WHICH, "typical", **options,
            format_func=lambda which: f"{which} episode",
        )  # fmt: skip
        acts = controls.pick(
            st.segmented_control, "acts", "Actions", list(words.ACTS), "sampled", **options,
            format_func={"sampled": "drawn actions", "greedy": "likelier actions"}.get,
            help="Drawn: by their probability, as in training. Likelier: always the action that "
            "the policy makes more probable.",
        )  # fmt: skip
    greedy = acts == "greedy"
    return Choice(agent, seed, checkpoint, steps[checkpoint], episode, greedy, beside)


class Cast(NamedTuple):
    """Who plays, and what is said of it."""

    roles: list[Role]  # the chosen agent first
    learned: str  # whether it plays better than before training
    shown: str  # which episode, and how it lies among the others
    lengths: pd.DataFrame  # of every episode, a column a role


def cast(histories: Mapping[str, History], choice: Choice) -> Cast:
    """The chosen agent's episodes, and those of whoever plays beside it.

    All start in the same state and meet the same draws.
    """

    def episodes(agent: str, checkpoint: int) -> list[Episode]:
        params = policy_of(histories[agent], choice.seed, checkpoint)
        config = histories[agent].config
        return play(params, config, choice.seed, choice.step, EPISODES, choice.greedy)

    own, before = episodes(choice.agent, choice.checkpoint), episodes(choice.agent, 0)
    players = [(choice.label, ALGORITHMS[choice.agent].colour, own)]
    if choice.beside == "before" and choice.checkpoint:
        players.append(("The same seed, untrained", GREY, before))
    if choice.beside == "all":
        players += [
            (ALGORITHMS[key].name, ALGORITHMS[key].colour, episodes(key, choice.checkpoint))
            for key, history in histories.items()
            if key != choice.agent and choice.checkpoint < len(history.checkpoints)
        ]
    number = typical_best_worst(own)[choice.episode]
    lengths = {name: [one.length for one in played] for name, _, played in players}
    acts = "greedy" if choice.greedy else "sampled"
    return Cast(
        [Role(played[number], name, colour) for name, colour, played in players],
        words.learned(lengths[choice.label], [one.length for one in before], choice.step),
        words.episode(choice.episode, number, lengths[choice.label], acts, len(players) > 1),
        pd.DataFrame({"episode": range(1, EPISODES + 1)} | lengths),
    )
