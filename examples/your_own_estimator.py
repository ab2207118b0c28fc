# %% [markdown]
# # Write an estimator of your own, and judge it
#
# The critic is wrong at first; the mean of past returns is crude, but steady. Is half of each a
# better baseline than either?

# %%
from __future__ import annotations

import numpy as np

from pgcore import ALGORITHMS, Algorithm, Batch, Config, compare, stats, train
from pgcore.gradients import examine


def half_and_half(batch: Batch, config: Config) -> np.ndarray:
    """Psi_t = Q_t - (V(s_t) + m) / 2: the critic, and the mean of earlier batches.  [S, T]"""
    return batch.q_values - (batch.values + batch.past_mean[:, None]) / 2


ALGORITHMS["half_and_half"] = Algorithm(
    half_and_half,
    name="Half and half",
    psi=r"Q_t - \tfrac{1}{2}(V_\phi(s_t) + m_{k-1})",
    bias="none: neither part looks at the action",
    reference="this file",
    colour=3,
)

# %% [markdown]
# ## Its variance, at one policy
#
# Early on, where the critic has learned little. All estimators judge the same batches.

# %%
KEYS = ("actor_critic", "running_mean", "half_and_half")
config = Config(num_seeds=1, total_timesteps=2_000)
params = train(config).checkpoints[-1, 0]
report = examine(params, config, num_windows=2_000, algorithms=KEYS)
for key in KEYS:
    ratio = report.measurements[key].ratio
    print(f"{key:14} variance x {ratio} of plain policy gradient, n = {len(report.windows):,}")

# %% [markdown]
# ## What it is worth in training
#
# Less variance at one policy is not yet a higher return. 200 seeds each decide, by the mean return
# over training, which is the area under the curve.

# %%
SEEDS = 200
learned = compare([Config(algorithm=key, num_seeds=SEEDS) for key in KEYS])
print(learned)
learned

# %%
own, *others = reversed(learned.histories.items())
for name, history in others:
    gain = stats.difference_interval(history.area_under_curve, own[1].area_under_curve)
    verdict = "told apart" if gain.low > 0 or gain.high < 0 else "not told apart"
    print(f"{own[0]} less {name}: {gain:.1f}, {verdict} with n = {SEEDS} seeds each")
