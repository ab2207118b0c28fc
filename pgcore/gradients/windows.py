"""Windows: many independent batches of one frozen policy, and what truly followed them.

Window i plays CartPole alone, long enough to forget its start, then T steps are recorded: the
batch that training would have seen at a random moment. Where the batch stops and the pole still
stands, training asks the critic, V_phi(s_T); here the same policy plays on from there, and the
discounted rewards of that tail replace the critic. So each window has two targets,

    Q_t   = r_t + gamma [fell: 0 | window or episode cut off: V_phi(s'_t) | else Q_{t+1}],
    MC_t  = r_t + gamma [fell: 0 | window or episode cut off: tail(s'_t)  | else MC_{t+1}],

and MC is free of the critic. A tail is played without a clock: with `bootstrap_truncation` a
truncation asks what continuing is worth, so the tail of a truncated step continues in the state
where the clock struck, while the window itself goes on in a new episode. Without it (the lab) a
truncation is worth 0 and a tail ends when its episode's clock does.

Shapes: N windows, T steps, P parameters.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from pgcore import envs, returns, seeding
from pgcore.batch import Batch
from pgcore.compilation import kernel
from pgcore.config import Config
from pgcore.envs.cartpole import CartPole, advance, start
from pgcore.learners import shape_of
from pgcore.learners.compiled import _preference, _sigmoid, _value
from pgcore.seeding import fold_kernel, uniform_kernel

BURN_IN = 400  # steps before a window at least; up to two whole clocks more, to mix the phases
NEGLIGIBLE = 1e-3  # a tail is played until gamma^k is below this,
LONGEST_TAIL = 5000  # or for so many steps: gamma = 1 has no end
SHARE = 64  # windows that a thread takes at once

ACTIONS, RESETS, TAILS, MIXING = (np.uint64(k) for k in range(4))  # streams of one window
ONE, LAST = np.float32(1), np.uint64(2**20)  # LAST: the tail's stream at the window's end


@dataclass(frozen=True)
class Windows:
    """N windows of one policy: a Batch whose leading axis is windows, and their true returns."""

    batch: Batch  # [N, T]
    mc_q: np.ndarray  # [N, T] float32, Monte-Carlo returns: nothing from the critic
    tails: np.ndarray  # [N, T] float32, what followed where `batch` asks the critic, else 0
    states: np.ndarray  # [N, 4] float64, the state at the first step
    elapsed: np.ndarray  # [N] int64, the episode's clock there
    row: np.ndarray  # [P] float32, policy and critic
    config: Config
    seed: int

    def __len__(self) -> int:
        return len(self.mc_q)

    @property
    def unbiased_weight(self) -> np.ndarray:
        """Psi_t = MC_t - V_phi(s_t): the critic only as a baseline, so no bias.  [N, T]"""
        return self.mc_q - self.batch.values

    def shortened(self, steps: int) -> Windows:
        """The first `steps` steps of every window, cut off there: the critic is asked earlier.

        MC does not change, for the tail of a shorter window begins with the steps cut off.
        """
        if not 1 <= steps <= self.mc_q.shape[1]:
            raise ValueError(f"steps is {steps}; it must be from 1 to {self.mc_q.shape[1]}.")
        cut = {
            name: np.ascontiguousarray(value[:, :steps])
            for name, value in vars(self.batch).items()
            if value.ndim > 1
        }
        batch = _assessed(replace(self.batch, **cut), self.config)
        follows = np.where(batch.terminated, 0, (self.mc_q - self.batch.rewards)[:, :steps])
        ended = batch.ended | (np.arange(steps) == steps - 1)
        tails = np.where(ended, follows / max(self.config.gamma, 1e-9), 0).astype(np.float32)
        return replace(
            self,
            batch=batch,
            mc_q=np.ascontiguousarray(self.mc_q[:, :steps]),
            tails=tails,
            config=self.config.replace(batch_size=steps),
        )
