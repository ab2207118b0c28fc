"""The bug museum: as written, corrected, measured.

    EXHIBITS[key]              the two versions of a few lines, and the experiment
    results.load()             what the experiments gave, kept in results.json
    python -m pgcore.exhibits  measures everything anew and writes that file (some minutes)

An exhibit's version as written is the compiled learner with one function replaced (`learner.py`),
or a config with one setting changed. Both train in `pgcore.train`'s loop. No verdict is written
down: it follows from the numbers (`verdict.py`).
"""

from pgcore.exhibits import innocent, notebook, public
from pgcore.exhibits.exhibit import Exhibit

EXHIBITS: dict[str, Exhibit] = notebook.EXHIBITS | public.EXHIBITS | innocent.EXHIBITS
ROOMS = {
    "notebook": "The lab notebook",
    "public": "Public code",
    "none": "Taken for bugs, and none",
}
