# %% [markdown]
# # Reproduce the lab
#
# The lab notebook trains three agents on CartPole, ten seeds each, and draws their returns: plain
# policy gradient, the batch's mean as the baseline, and a learned value as the baseline. Ten seeds
# leave wide intervals. Here are a hundred, as the notebook has it and corrected.
#
# Run the file (`python examples/reproduce_the_lab.py`), or open it in Jupyter or an editor that
# knows `# %%` cells: there the charts show.

# %%
from pgcore import ALGORITHMS, Config, compare, stats

AGENTS = ("policy_gradient", "batch_mean", "actor_critic")
SEEDS = 100

# %% [markdown]
# ## As written
#
# `Config.lab` is the notebook: an episode that the clock ends counts as a fall, and every episode
# of a seed starts in one and the same state. Its docstring names what else differs.

# %%
as_written = compare(
    {ALGORITHMS[key].name: Config.lab(algorithm=key, num_seeds=SEEDS) for key in AGENTS}
)
print(f"As written, mean return of the last evaluation [95%], n = {SEEDS} seeds")
print(as_written, end="\n\n")
as_written

# %% [markdown]
# ## Corrected
#
# The default: bootstrap where the clock ends an episode, and draw a start state each time.

# %%
corrected = compare(
    {ALGORITHMS[key].name: Config(algorithm=key, num_seeds=SEEDS) for key in AGENTS}
)
print(f"Corrected, n = {SEEDS} seeds")
print(corrected, end="\n\n")
corrected

# %% [markdown]
# ## Does a baseline help?
#
# Intervals of two curves may overlap though they differ: the difference needs an interval of its
# own (Welch's). If it holds 0, these seeds cannot tell the two apart.

# %%
plain, batch, critic = (history.final_returns for history in corrected.histories.values())
for name, agent in (("Batch mean", batch), ("Actor-critic", critic)):
    gain = stats.difference_interval(plain, agent)
    verdict = "told apart" if gain.low > 0 or gain.high < 0 else "not told apart"
    print(f"{name} less policy gradient: {gain:.0f}, {verdict} with n = {SEEDS} seeds each")
