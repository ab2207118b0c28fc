"""Train: choose estimators, move a slider, and every seed trains again."""

import streamlit as st

from ui.shell import controls, export, figures, lesson, link, live, pages
from ui.train import replay

pages.begin("train")

IN_SIGHT = ["learning_rate", "batch_size", "gamma", "total_timesteps", "num_seeds"]
controls.algorithm_picker()
controls.field_widgets(IN_SIGHT)
figure, place = controls.toolbar(IN_SIGHT)
shown, figure = live.run_figure(figure, place)
if not shown:
    st.info("These settings have not run yet: press Run, or lower the seeds or the steps.")
    st.stop()

kept, band = link.get("kept"), link.get("band")
dashed = (kept, live.find(kept.configs)) if kept else None
chart, beside = st.columns([2.6, 1])
with chart:
    if all(run.status == "done" for run in shown.values()):
        replay.bar(
            len(figure.config.eval_steps),
            lambda k: figures.learning_curves(shown, figure, band, dashed, k),
        )
        live.progress(shown)
    else:
        replay.rewind()
        live.controls(shown, "train")

        def draw() -> None:
            live.progress(shown)
            figures.learning_curves(shown, figure, band, dashed)

        live.watch(shown, draw)
with beside:
    lesson.equation_and_source(list(figure.algorithms))

figures.verdict(shown, figure)
figures.table(shown, figure)
with st.expander("Link, CSV, picture, code", icon=":material/ios_share:"):
    export.panel(figure, shown)
