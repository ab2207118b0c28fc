"""Watch: the player, what the policy sees, the policy to be pushed, Gymnasium's own picture."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pgcore.algorithms import ALGORITHMS
from pgcore.episodes import landscape, policy_of
from pgcore.history import History
from pgcore.render import draw
from ui.player.episodes import Role, player
from ui.player.push import push
from ui.shell import glossary, link
from ui.shell.pages import PARAMETERS
from ui.shell.tabs import tabs
from ui.watch import charts, film, words
from ui.watch.agents import Choice

CARTS = {"rest": "cart in the middle, at rest", "here": "cart as where the player stopped"}


@st.fragment
def stage(choice: Choice, roles: list[Role], history: History) -> None:
    """The player, and the views that follow the place where it was stopped."""
    episode = roles[0].episode
    params = policy_of(history, choice.seed, choice.checkpoint)
    playing, thinking, pushing, picture = tabs("watch_view")
    link.write(PARAMETERS)  # a fragment runs without the frame, which writes it else
    with playing:
        step = min(player(roles, key="player"), episode.length)
    if thinking.open:
        with thinking:
            _maps(params, history, episode, step)
    if pushing.open:
        with pushing:
            colour = ALGORITHMS[choice.agent].colour
            push(params, history.config, colour, key="push", greedy=choice.greedy)
            st.caption(
                "Drag the cart, hold an arrow key or a button. The agent pushes with 10 newtons, "
                "an arrow key with 12. There is no clock here: it ends when the pole falls."
            )
    if picture.open:
        with picture:
            _gymnasium(choice, episode, step)


def numbers(lengths: pd.DataFrame) -> None:
    """How long every episode of each agent lasted, folded."""
    with st.expander("All the numbers", icon=":material/table:"):
        st.caption(
            "Steps that each episode lasted, which is also its return. An episode ends when the "
            "pole falls, when the cart leaves the track, or after 500 steps."
        )
        st.dataframe(lengths, hide_index=True, width="stretch")


def _maps(params, history: History, episode, step: int) -> None:
    """The policy and the critic over angle and angular velocity."""
    cart = st.segmented_control(
        "Cart", list(CARTS), default="rest", format_func=lambda key: CARTS[key], required=True,
        key="cart", label_visibility="collapsed",
    )  # fmt: skip
    x, x_dot = episode.states[step, :2].tolist() if cart == "here" else (0.0, 0.0)
    over = landscape(params, history.config, x, x_dot)
    rows, alt = charts.rows(over, episode, step), charts.description(over)
    left, right = st.columns(2)
    left.vega_lite_chart(rows, charts.policy_spec(over), key="policy_map", alt=alt)
    right.vega_lite_chart(rows, charts.value_spec(over), key="value_map", alt=alt)
    glossary.caption(words.maps(over, step))
    with st.expander("All the numbers", icon=":material/table:"):
        st.caption("Move the checkpoint to see both maps being learned.")
        st.dataframe(charts.numbers(over), hide_index=True, width="stretch")


def _gymnasium(choice: Choice, episode, step: int) -> None:
    """Gymnasium's own frames, and files of them."""
    left, right = st.columns([3, 2])
    moving = film.moving(episode.states)
    left.image(moving or draw(episode.states[step]), width=600)
    with right:
        film.panel(episode.states, f"cartpole-{choice.agent}-{choice.seed}-{choice.step}")
        st.caption(f"Episode of {choice.label}" + ("" if moving else f", step {step}."))
