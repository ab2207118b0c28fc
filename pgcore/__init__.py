"""Policy gradients and variance reduction on CartPole: train, measure, compare.

from pgcore import Config, train
history = train(Config(algorithm="actor_critic", num_seeds=10))
"""

from pgcore.algorithms import ALGORITHMS
from pgcore.batch import Batch
from pgcore.config import Config
from pgcore.history import History
from pgcore.train import Cancelled, Control, stream, train

__all__ = [
    "ALGORITHMS",
    "Batch",
    "Cancelled",
    "Config",
    "Control",
    "History",
    "stream",
    "train",
]
