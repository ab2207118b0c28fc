"""ToyPole: a CartPole of five states, small enough that every window of it is enumerated."""

from ui.shell import pages
from ui.shell.tabs import tabs
from ui.toypole import view

pages.begin("toypole")

VIEWS = (view.chain, view.estimates, view.batch_mean, view.lambdas, view.gradients)
for tab, show in zip(tabs("pole_view"), VIEWS, strict=True):
    if tab.open:
        with tab:
            show()
