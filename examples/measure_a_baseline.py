# %% [markdown]
# # Measure what a baseline does to the variance
#
# A baseline b that does not look at the action leaves the expected gradient as it is and changes
# its variance. To see that, hold one policy still, let every estimator judge the same batches, and
# look at how far the gradients scatter.

# %%
from pgcore import Config, train
from pgcore.gradients import examine

config = Config(num_seeds=1, total_timesteps=5_000)
params = train(config).checkpoints[-1, 0]  # [P] policy and critic after 5,000 steps
KEYS = ("policy_gradient", "batch_mean", "actor_critic", "leave_one_out")
report = examine(params, config, num_windows=2_000, algorithms=KEYS)
n = len(report.windows)

# %% [markdown]
# ## Variance
#
# `ratio` is an estimator's variance, tr Cov(g), as a multiple of plain policy gradient's. The
# batches are the same for all, so the interval is that of a paired comparison.

# %%
for key in KEYS:
    measured = report.measurements[key]
    print(f"{key:16} variance x {measured.ratio}, n = {n:,} batches of {config.batch_size} steps")

# %% [markdown]
# ## Bias
#
# `added` compares an estimator's mean gradient with actor-critic's, as a share of the true
# gradient's length. A value as the baseline adds none; the batch's own mean is made of the
# actions' returns, and adds some.

# %%
for key in ("policy_gradient", "batch_mean", "leave_one_out"):
    added = report.measurements[key].added
    print(f"{key:16} bias added {added.relative:.0%}, p = {added.test.p:.2g}, n = {n:,} batches")

# %% [markdown]
# ## The best constant
#
# With one number b for every state the variance is a parabola in b. Its lowest point is b*.

# %%
parabola = report.parabola
print(f"b* = {parabola.vertex}; there {parabola.least:.0%} of the variance is left, n = {n:,}")
