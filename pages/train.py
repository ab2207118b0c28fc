"""Train: choose estimators, move a slider, and every seed trains again."""

import streamlit as st

from ui.shell import controls, export, lesson, link, live, pages
from ui.train import view as train

pages.begin("train")

IN_SIGHT = ["learning_rate", "batch_size", "gamma", "total_timesteps", "num_seeds"]
controls.algorithm_picker()
left, right = st.columns([2.4, 1], gap="medium")
with right.container(key="settings"):
    controls.field_widgets(IN_SIGHT, columns=2)
    figure = controls.toolbar(IN_SIGHT)
with left:
    shown, figure = live.run_figure(figure, st.empty())
    if not shown:
        st.info("These settings have not run yet. Press Run, or lower the seeds or the steps.")
        st.stop()
    kept, band = link.get("kept"), link.get("band")
    dashed = (kept, live.find(kept.configs)) if kept else None
    train.curves(shown, figure, band, dashed)
pages.below()
train.numbers(shown, figure, band, dashed)
lesson.equation_and_source(list(figure.algorithms))
export.folded(figure, shown)
