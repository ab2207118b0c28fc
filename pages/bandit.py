"""Exact bandit: three arms, every expectation a finite sum, every baseline at once."""

from ui.bandit import view
from ui.shell import pages
from ui.shell.tabs import tabs

pages.begin("bandit")

VIEWS = (view.one_pull, view.same_variance, view.two_arms)
for tab, show in zip(tabs("bandit_view"), VIEWS, strict=True):
    if tab.open:
        with tab:
            show()
