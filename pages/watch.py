"""Watch: the policy of any agent, at any checkpoint, playing CartPole."""

import streamlit as st

from pgcore import envs
from ui.shell import controls, glossary, live, pages
from ui.watch import agents, view

pages.begin("watch")

shown, figure = live.run_figure(controls.figure_or_stop(), st.empty())
if live.any_live(shown):
    live.follow(shown, "watch")
histories = {key: run.history for key, run in shown.items() if run.history is not None}
if not envs.describe(figure.config.env_id).watchable:
    st.info("Episodes of CartPole alone can be watched; choose it on Train.")
    st.stop()
if not histories:
    st.info("No agent has learned yet. Press Run, or choose fewer steps or seeds on Train.")
    st.stop()

choice = agents.choose(histories)
cast = agents.cast(histories, choice)
st.markdown(cast.learned)
view.stage(choice, cast.roles, histories[choice.agent])
glossary.caption(cast.shown)
view.numbers(cast.lengths)
