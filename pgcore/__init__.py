"""Policy gradients and variance reduction on CartPole: train, measure, compare.

    from pgcore import Config, train
    history = train(Config(algorithm="actor_critic", num_seeds=10))

In a notebook, `history` shows its learning curve. `pgcore.gradients` measures the variance of the
gradient, `pgcore.stats` holds the statistics; both load when first named. Importing changes no
global: no thread count, no environment variable, no plot theme.
"""

import importlib
from types import ModuleType

from pgcore.algorithms import ALGORITHMS, Algorithm
from pgcore.batch import Batch
from pgcore.comparison import Comparison, compare
from pgcore.config import Config
from pgcore.control import Cancelled, Control
from pgcore.history import History
from pgcore.train import final_evaluation, stream, train

__version__ = "0.2.0"

__all__ = [
    "ALGORITHMS",
    "Algorithm",
    "Batch",
    "Cancelled",
    "Comparison",
    "Config",
    "Control",
    "History",
    "compare",
    "final_evaluation",
    "stream",
    "train",
]

LATE = (
    "episodes",
    "exact",
    "exercises",
    "exhibits",
    "gradients",
    "plotting",
    "render",
    "stats",
)  # modules, at first use


def __getattr__(name: str) -> ModuleType:
    if name in LATE:
        return importlib.import_module(f"pgcore.{name}")
    raise AttributeError(f"module 'pgcore' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *LATE})
