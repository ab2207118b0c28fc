"""History: what a run leaves behind. K evaluations, S seeds, E episodes, P parameters."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pgcore.config import Config


@dataclass(frozen=True)
class History:
    """Evaluations and checkpoints of one run, complete or so far."""

    config: Config
    eval_steps: np.ndarray  # [K] environment steps
    eval_episode_returns: np.ndarray  # [K, S, E] undiscounted episodic returns
    checkpoints: np.ndarray  # [K + 1, S, P] parameters; checkpoint 0 is before training

    @property
    def eval_returns(self) -> np.ndarray:
        """Mean episodic return of the evaluation's episodes.  [K, S]"""
        return self.eval_episode_returns.mean(-1)

    @property
    def final_returns(self) -> np.ndarray:
        """The last evaluation.  [S]"""
        return self.eval_returns[-1]

    @property
    def area_under_curve(self) -> np.ndarray:
        """Mean of a seed's evaluations: the area under its curve per step of training.  [S]"""
        return self.eval_returns.mean(0)

    @property
    def complete(self) -> bool:
        return len(self.eval_steps) == len(self.config.eval_steps)

    def reached(self, threshold: float) -> np.ndarray:
        """Which seeds had an evaluation of at least `threshold`.  [S] bool

        The best of K means of `eval_episodes` episodes: many a seed has one such evaluation whose
        policy does not reach the threshold over 100 episodes (see train.final_evaluation).
        """
        return np.any(self.eval_returns >= threshold, axis=0)

    def upto(self, evaluations: int) -> History:
        """The run as it stood after its first evaluations."""
        k = evaluations
        return History(
            self.config,
            self.eval_steps[:k],
            self.eval_episode_returns[:k],
            self.checkpoints[: k + 1],
        )

    def to_frame(self) -> pd.DataFrame:
        """Tidy: a row an evaluation and seed."""
        steps, seeds = np.meshgrid(self.eval_steps, self.config.seeds, indexing="ij")
        return pd.DataFrame(
            {
                "algorithm": self.config.algorithm,
                "seed": seeds.ravel(),
                "step": steps.ravel(),
                "eval_return": self.eval_returns.ravel(),
                "eval_episodes": self.config.eval_episodes,
                "evaluation": "greedy" if self.config.eval_greedy else "sampled",
            }
        )

    def to_csv(self) -> str:
        """`to_frame` as CSV."""
        text = io.StringIO()
        self.to_frame().to_csv(text, index=False, lineterminator="\n")
        return text.getvalue()
