"""Watch: the policy of any agent, at any checkpoint, playing CartPole."""

import streamlit as st

from pgcore import envs
from pgcore.algorithms import ALGORITHMS
from pgcore.episodes import landscape, policy_of
from pgcore.render import draw
from ui.player.episodes import player
from ui.player.push import push
from ui.shell import controls, live, pages
from ui.watch import agents, film
from ui.watch import charts as watch

pages.require_frame()
pages.heading("watch")
controls.show_refusals()
live.wait_until_compiled()

try:
    wanted = controls.figure()
except ValueError as error:
    st.error(str(error))
    st.stop()
shown, figure = live.run_figure(wanted, st.empty())
if live.any_live(shown):
    live.follow(shown, "watch")
histories = {key: run.history for key, run in shown.items() if run.history is not None}
if not envs.describe(figure.config.env_id).is_cartpole:
    st.info(f"Episodes of {figure.config.env_id} cannot be watched; choose CartPole on Train.")
    st.stop()
if not histories:
    st.info("No agent has learned yet: press Run, or choose fewer steps or seeds on Train.")
    st.stop()

choice = agents.choose(histories)
roles, sentence = agents.cast(histories, choice)
st.caption(sentence)
history, episode = histories[choice.agent], roles[0].episode
row = policy_of(history, choice.seed, choice.checkpoint)
CARTS = {"rest": "cart in the middle, at rest", "here": "cart as where the player stopped"}


@st.fragment
def stage() -> None:
    """The player, and what follows the place where it was stopped."""
    playing, thinking, pushing, picture = st.tabs(
        ["Player", "How it thinks", "Push it", "Gymnasium's picture"]
    )
    with playing:
        step = min(player(roles, key="player"), episode.length)
    here = episode.states[step]
    with thinking:
        cart = st.segmented_control(
            "Cart", list(CARTS), default="rest", format_func=CARTS.get, required=True,
            key="cart", label_visibility="collapsed",
        )  # fmt: skip
        x, x_dot = here[:2].tolist() if cart == "here" else (0.0, 0.0)
        over = landscape(row, history.config, x, x_dot)
        rows, words = watch.rows(over, episode, step), watch.description(over)
        left, right = st.columns(2)
        left.vega_lite_chart(rows, watch.policy_spec(over), key="policy_map", alt=words)
        right.vega_lite_chart(rows, watch.value_spec(over), key="value_map", alt=words)
        st.caption(
            f"The line is the episode's path, the dot step {step}, where the player stopped. V "
            f"runs from {over.values.min():.1f} to {over.values.max():.1f} on this map, and its "
            "colours with it. Move the checkpoint to see both being learned."
        )
    with pushing:
        push(row, history.config, ALGORITHMS[choice.agent].colour, key="push", greedy=choice.greedy)
        st.caption(
            "Drag the cart, hold an arrow key or a button. The agent pushes with 10 newtons, an "
            "arrow key with 12. There is no clock here: it ends when the pole falls."
        )
    with picture:
        left, right = st.columns([3, 2])
        moving = film.moving(episode.states)
        left.image(moving or draw(here), width=600)
        with right:
            film.panel(episode.states, f"cartpole-{choice.agent}-{choice.seed}-{choice.step}")
            st.caption(f"Episode of {choice.label}" + ("" if moving else f", step {step}."))


stage()
