"""Bug museum: code as written, sorted by the reader, judged by its measurement.

The measurements are kept in pgcore/exhibits/results.json; `python -m pgcore.exhibits` makes them
anew.
"""

from ui.museum import view
from ui.shell import pages
from ui.shell.tabs import tabs

pages.begin("museum")

VIEWS = (view.sort_cards, view.exhibits, view.all_verdicts)
for tab, show in zip(tabs("museum_view"), VIEWS, strict=True):
    if tab.open:
        with tab:
            show()
