"""Which agent plays which episode: the choice, kept by the session and the link, and its cast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from pgcore.algorithms import ALGORITHMS
from pgcore.episodes import Episode, play, policy_of, typical_best_worst
from pgcore.history import History
from ui.player.episodes import Role
from ui.shell import controls

EPISODES = 20
WHICH = ("typical", "best", "worst")
ACTS = ("sampled", "greedy")
BESIDE = {"alone": "alone", "before": "itself untrained", "all": "the other agents"}
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
    top = st.columns([1.3, 1.2, 1.3, 3])
    with top[0]:
        agent = controls.pick(
            st.selectbox, "agent", "Agent", list(histories), next(iter(histories)),
            format_func=lambda key: ALGORITHMS[key].name,
        )  # fmt: skip
    history = histories[agent]
    seeds, steps = history.config.seeds, [0, *history.eval_steps.tolist()]
    last = len(steps) - 1
    with top[1]:
        seed = controls.pick(
            st.selectbox, "seed", "Seed and its return", seeds, seeds[0],
            format_func=lambda s: f"{s}: {history.final_returns[s - seeds[0]]:.0f}",
        )  # fmt: skip
    with top[2]:
        beside = controls.pick(
            st.selectbox, "beside", "Beside", list(BESIDE), "alone", format_func=BESIDE.get
        )
    with top[3]:
        checkpoint = controls.pick(
            st.select_slider, "checkpoint", "Checkpoint: environment steps learned",
            range(last + 1), last, format_func=lambda k: f"{steps[k]:,}",
        )  # fmt: skip
    options = dict(required=True, label_visibility="collapsed")
    with st.container(horizontal=True):
        episode = controls.pick(
            st.segmented_control, "episode", "Episode", WHICH, "typical", **options
        )
        acts = controls.pick(st.segmented_control, "acts", "Actions", ACTS, "sampled", **options)
    greedy = acts == "greedy"
    return Choice(agent, seed, checkpoint, steps[checkpoint], episode, greedy, beside)


def cast(histories: Mapping[str, History], choice: Choice) -> tuple[list[Role], str]:
    """Who plays, the chosen agent first, and a sentence on how the episode was chosen.

    All start in the same state and meet the same draws.
    """

    def episodes(agent: str, checkpoint: int) -> list[Episode]:
        params = policy_of(histories[agent], choice.seed, checkpoint)
        config = histories[agent].config
        return play(params, config, choice.seed, choice.step, EPISODES, choice.greedy)

    own = episodes(choice.agent, choice.checkpoint)
    number = typical_best_worst(own)[choice.episode]
    roles = [Role(own[number], choice.label, ALGORITHMS[choice.agent].colour)]
    if choice.beside == "before":
        roles.append(Role(episodes(choice.agent, 0)[number], "The same seed, untrained", GREY))
    if choice.beside == "all":
        roles += [
            Role(
                episodes(key, choice.checkpoint)[number],
                ALGORITHMS[key].name,
                ALGORITHMS[key].colour,
            )
            for key, history in histories.items()
            if key != choice.agent and choice.checkpoint < len(history.checkpoints)
        ]
    lengths = sorted(episode.length for episode in own)
    together = " All start in the same state and meet the same draws." if len(roles) > 1 else ""
    return roles, (
        f"Episode {number + 1} of n = {EPISODES}, the {choice.episode} one: {own[number].length} "
        f"steps, where the {EPISODES} lasted {lengths[0]} to {lengths[-1]} (median "
        f"{lengths[(EPISODES - 1) // 2]}), with {ACTS[choice.greedy]} actions.{together}"
    )
