"""The cloud in words: every sentence that states a result, from the numbers that were measured.

A bias has one unit everywhere: the true gradient's length, signed along the true gradient, in
percent. -30% is a mean update that is shorter by 30% of the true gradient.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from pgcore.algorithms import ALGORITHMS
from pgcore.gradients import Measurement
from pgcore.gradients.findings import noise_over_signal
from pgcore.stats import Interval

NAMES = {key: algorithm.name for key, algorithm in ALGORITHMS.items()} | {
    "optimal_constant": "Best constant b*",
    "monte_carlo": "Critic, no bootstrap",
    "score": "Scores alone (Ψ = 1)",
}
ADAM = (
    "An arrow is a gradient. Training takes Adam's step, which divides every coordinate by its "
    "recent size."
)
FIXED_LENGTH = "REINFORCE updates at the ends of episodes; batches of fixed length do not show it."
OTHER_BATCHES = (
    "The running mean is measured with the mean of the other batches in the place of past ones."
)
SHARES = {  # of updates that point the right way: what can be predicted, up to where
    "Up to 55%: hardly better than chance": 0.55,
    "55% to 70%": 0.70,
    "70% to 85%": 0.85,
    "More than 85%": 1.0,
}
COLUMNS = {
    "ratio": "variance / plain PG's",
    "noise": "noise / signal",
    "cosine": "mean cosine",
    "right_way": "right way",
    "bias": "bias of the mean",
    "added": "bias that Ψ adds",
}


def answer(share: Interval) -> str:
    """Which of SHARES is measured."""
    return next(words for words, top in SHARES.items() if share.estimate <= top)


def explanation(plain: Interval, critic: Interval) -> str:
    """The shares of updates that point the right way, without a baseline and with the critic."""
    return f"Plain: {plain:.0%}. With the critic: {critic:.0%}. n = {plain.n:,} batches."


def panel_title(name: str, share: Interval) -> str:
    """An estimator's name, and the share of its updates that point the right way."""
    return f"**{name}** · {share:.0%} right"


def shown(share: float) -> str:
    """How much of the variance the picture shows."""
    return f"This picture shows {share:.0%} of its variance."


def table(measurements: Mapping[str, Measurement]) -> pd.DataFrame:
    """Every estimator on the same batches, each number with its 95% interval."""
    rows = []
    for key, measured in measurements.items():
        cells = {
            "ratio": f"{measured.ratio}",
            "noise": f"{noise_over_signal(measured):.1f}",
            "cosine": f"{measured.cosine:.3f}",
            "right_way": f"{measured.right_way:.0%}",
            "bias": f"{measured.bias.along:+.1%}",
            "added": f"{measured.added.along:+.1%}",
        }
        if key == "monte_carlo":
            cells["added"] = "other target"
        rows.append({"estimator": NAMES[key]} | {COLUMNS[name]: cells[name] for name in COLUMNS})
    return pd.DataFrame(rows)


def verdict(ratio: Interval) -> str:
    """What the ratio of the critic's variance to the best constant's allows to say."""
    if ratio.high < 1:
        return "the critic has less variance"
    if ratio.low > 1:
        return "the constant has less variance"
    return f"the two are not told apart with n = {ratio.n:,} batches"


def on_the_mean(critic: Measurement, batch_mean: Measurement) -> str:
    """What a baseline does to the mean of the updates, in Markdown."""
    return (
        "**What a baseline does to the mean.** Plain policy gradient, the running mean and the "
        "critic have the same expected update and differ in variance alone. Along the true "
        f"gradient that mean is off by {critic.bias.along:+.1%} of its length: where the batch "
        "ends, the critic's guess stands for the rest. The batch's own mean adds "
        f"{batch_mean.added.along:+.1%}: the returns in it contain what the action caused "
        f"(n = {critic.ratio.n:,} batches)."
    )


def on_the_critic(critic: Measurement, against_constant: Interval) -> str:
    """The learned critic against the best constant, in Markdown."""
    return (
        "**The learned critic against one good number.** The variance with the critic is "
        f"{critic.ratio} of plain policy gradient's, and {against_constant} of that with the best "
        f"constant (b* of other batches): {verdict(against_constant)}."
    )


def on_leave_one_out(
    batch_mean: Measurement, leave_one_out: Measurement, ratio: Interval, batch_size: int
) -> str:
    """Whether leaving one's own return out removes the bias of the batch mean, in Markdown.

    Args:
        ratio: tr Sigma of leave one out over the batch mean's.
    """
    if batch_size < 2:
        return (
            "**A batch of one step** has no other steps: its mean is its own return, Ψ is 0, and "
            "nothing is learned. Leave one out falls back on no baseline."
        )
    return (
        f"**Leave one out against the batch mean.** An action's own return is 1/B = "
        f"{1 / batch_size:.0%} of the batch mean, and Leave one out takes it away. The bias that "
        f"the baseline adds goes from {batch_mean.added.along:+.1%} to "
        f"{leave_one_out.added.along:+.1%}: the other steps of the same trajectory contain what "
        "the action caused, too. Both point the same way, since one is B/(B - 1) times the "
        f"other; the variance is {ratio} times as large (n = {ratio.n:,} batches)."
    )


def on_the_signal(measurements: Mapping[str, Measurement]) -> str:
    """Variance compares units, noise over signal does not, in Markdown."""
    known = {key: found for key, found in measurements.items() if key in ALGORITHMS}
    noise = {key: noise_over_signal(found) for key, found in known.items()}
    smallest = min(known, key=lambda key: known[key].ratio.estimate)
    clear = [key for key in known if noise[key].estimate > 0]
    best = max(known, key=lambda key: known[key].right_way.estimate)
    sentence = (
        f"**Least variance and clearest signal.** {NAMES[smallest]} has the least variance, "
        f"{known[smallest].ratio} of plain policy gradient's. A weight on a smaller scale has a "
        "smaller variance and a smaller mean; noise over signal, √(tr Σ) / |E g|, has no scale. "
    )
    if clear:
        least = min(clear, key=lambda key: noise[key].estimate)
        sentence += f"It is least for {NAMES[least]}, {noise[least]:.1f}; "
        if least != smallest:
            apart = noise[least].high < noise[smallest].low
            sentence += f"{NAMES[smallest]} has {noise[smallest]:.1f}, "
            sentence += "clearly more; " if apart else "and the two are not told apart; "
        sentence += f"plain policy gradient has {noise['policy_gradient']:.1f}. "
    return (
        f"{sentence}{NAMES[best]} has most updates the right way, {known[best].right_way:.0%}; "
        f"plain policy gradient has {known['policy_gradient'].right_way:.0%} "
        f"(n = {known[best].ratio.n:,} batches; the intervals are not corrected for picking the "
        f"best of {len(known)})."
    )


def findings(
    measurements: Mapping[str, Measurement],
    ratios: Mapping[tuple[str, str], Interval],
    batch_size: int,
) -> list[str]:
    """What this policy's measurements say, in Markdown."""
    critic, mean = measurements["actor_critic"], measurements["batch_mean"]
    return [
        on_the_mean(critic, mean),
        on_the_critic(critic, ratios["actor_critic", "optimal_constant"]),
        on_leave_one_out(
            mean, measurements["leave_one_out"], ratios["leave_one_out", "batch_mean"], batch_size
        ),
        on_the_signal(measurements),
    ]


def law(measured: pd.DataFrame, n: int) -> str:
    """Whether larger batches pay as 1/B says, in Markdown.

    Args:
        measured: of `by_batch_size`.
        n: batches in it.
    """

    def at(size: int, key: str, name: str) -> Interval:
        chosen = (measured["batch_size"] == size) & (measured["algorithm"] == key)
        row = measured[chosen].iloc[0]
        return Interval(row[name], row[f"{name}_low"], row[f"{name}_high"], n)

    longest = int(measured["batch_size"].max())
    fall = {
        key: f"from {at(1, key, 'tr_sigma')} to {at(longest, key, 'tr_sigma')}"
        for key in ("policy_gradient", "actor_critic")
    }
    return (
        f"**Is it 1/B?** For the scores alone it is, by theory; measured, a batch of {longest} "
        f"has {at(longest, 'score', 'design_effect')} times the variance that {longest} "
        "independent steps would have. With returns as weights two things change. The steps of "
        "one trajectory are correlated: with its own returns, plain policy gradient has "
        f"{at(longest, 'policy_gradient', 'design_effect')} times the variance of independent "
        "steps. And the returns themselves change: in a short batch they are mostly the critic's "
        f"guess, in a long one mostly rewards. From B = 1 to {longest}, tr Σ goes "
        f"{fall['policy_gradient']} for plain policy gradient, {fall['actor_critic']} with the "
        f"critic (n = {n:,} batches)."
    )


def description(key: str, arrows_mean: tuple[float, float], share: Interval) -> str:
    """A panel in words, for a screen reader."""
    along, across = arrows_mean
    return (
        f"Single updates of {NAMES[key]} as arrows; the true gradient is the arrow from 0 to 1. "
        f"{share:.0%} of n = {share.n:,} are within 90 degrees of it. Their mean reaches "
        f"{along:.2f} along the true gradient and {across:.2f} across it."
    )


def batch_description(measured: pd.DataFrame) -> str:
    """The chart of the batch size in words."""
    longest = measured[measured["batch_size"] == measured["batch_size"].max()]
    parts = [
        f"{NAMES[row.algorithm]} {row.tr_sigma:.3g}"
        for row in longest.itertuples()
        if row.algorithm != "score"
    ]
    return (
        f"tr Sigma against the batch size; at {longest['batch_size'].iloc[0]}: {', '.join(parts)}"
    )
