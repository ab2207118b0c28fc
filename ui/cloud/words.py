"""The cloud in words: every sentence that states a result, from the numbers that were measured.

A bias has one unit everywhere: the true gradient's length, signed along the true gradient, in
percent. -30% is a mean update that is shorter by 30% of the true gradient.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import pandas as pd

from pgcore.algorithms import ALGORITHMS
from pgcore.gradients import Measurement
from pgcore.gradients.findings import Findings, noise_over_signal
from pgcore.stats import Interval
from ui.shell.question import Mark

NAMES = {key: algorithm.name for key, algorithm in ALGORITHMS.items()} | {
    "optimal_constant": "Best constant b*",
    "monte_carlo": "Critic, no bootstrap",
    "score": "Scores alone (Ψ = 1)",
}
ADAM = (
    "An arrow is a gradient. Training takes [[adam|Adam]]'s step, which divides every coordinate "
    "by its recent size."
)
FIXED_LENGTH = "REINFORCE updates at the ends of episodes; batches of fixed length do not show it."
UNBIASED = ("policy_gradient", "constant", "running_mean", "actor_critic")  # Psi adds no bias
OTHER_BATCHES = (
    "The running mean is measured with the mean of the other batches in the place of past ones."
)
ARROWS = (
    "Each thin arrow is one [[estimate|update]], made from one [[batch]]. The thick yellow arrow "
    "is the [[true_gradient|true gradient]]. An arrow into the green half points the right way: "
    "its angle with the true gradient is below 90°."
)
THE_MEAN = (
    "The white dot is the end of the mean of all updates. Below, this mean is drawn larger, with "
    "its [[interval]]."
)
QUESTION = Mark(
    "right_way",
    "From each batch, plain policy gradient computes one update, which the agent does not take. "
    "What share of these updates point the right way, within 90° of the true gradient? A coin "
    "would give 50%.",
    "Updates within 90° of the true gradient, in percent", 0, 100, 1, "%", near=4, usual=(54, 63),
)  # fmt: skip
COLUMNS = {
    "ratio": "variance / plain PG's",
    "noise": "noise / signal",
    "cosine": "mean cosine",
    "right_way": "right way",
    "bias": "bias of the mean",
    "added": "bias that Ψ adds",
}


class Panel(NamedTuple):
    """What is drawn of one estimator; every n counts batches."""

    name: str
    right: Interval  # share of updates within 90 degrees of the true gradient
    mean: Interval  # of all updates along the true gradient, in its lengths
    drawn: float  # share of the variance that lies in the picture's plane
    unbiased: bool = False  # whether its baseline adds no bias of its own


def question(policy: str, batch_size: int) -> Mark:
    """QUESTION with the policy and the batch that it is asked of."""
    text = (
        f"One agent is held still: {policy}. It learns no more, and plays many batches of "
        f"{batch_size} steps. {QUESTION.text}"
    )
    return replace(QUESTION, text=text)


def explanation(plain: Interval, critic: Interval) -> str:
    """What the critic changes, and why an update scatters so widely, with intervals and n."""
    if critic.low > plain.high:
        helped = "the critic helps"
    elif critic.high < plain.low:
        helped = "the critic does not help here"
    else:
        helped = "no clear difference"
    return (
        f"With the critic as the baseline, {critic:.0%} point the right way: {helped} "
        f"(n = {plain.n:,} batches). One batch holds parts of a few episodes, so chance decides "
        "most of its direction."
    )


def panel_title(name: str, share: Interval) -> str:
    """An estimator's name, and the share of its updates that point the right way."""
    return f"**{name}** · {share:.0%} right"


def on_the_scatter(plain: Measurement) -> str:
    """How far one update scatters, beside the length of the mean: signal against noise."""
    noise = noise_over_signal(plain)
    n = plain.ratio.n
    if not noise.estimate > 0:
        return f"With these n = {n:,} batches the mean update is not told apart from 0."
    return (
        "The updates of plain policy gradient scatter widely: their typical distance from their "
        f"mean is {noise:.1f} times the length of that mean (n = {n:,} batches)."
    )


def on_the_means(panels: Sequence[Panel]) -> str:
    """How far along the true gradient the mean of the updates reaches, for each estimator."""
    reached = [f"{panel.mean:.2f} with {panel.name}" for panel in panels]
    listed = reached[0] if len(reached) == 1 else f"{', '.join(reached[:-1])} and {reached[-1]}"
    return (
        f"On average chance cancels: of the true gradient's length 1, the mean of all updates "
        f"reaches {listed}. {_on_the_rest(panels)}"
    )


def _on_the_rest(panels: Sequence[Panel]) -> str:
    """What does not cancel: which means are clearly shorter or longer than the true gradient."""
    shorter = [panel.name for panel in panels if panel.mean.high < 1]
    longer = [panel.name for panel in panels if panel.mean.low > 1]
    if not shorter and not longer:
        return "None is clearly shorter or longer than the true gradient."
    said = []
    if shorter:
        all_of = "Every one" if len(shorter) == len(panels) else ", ".join(shorter)
        said.append(f"{all_of} is clearly too short: that is [[bias]], and it does not cancel.")
    if longer:
        said.append(f"{', '.join(longer)} is clearly too long: that is [[bias]] too.")
    cleared = [panel.name for panel in panels if panel.unbiased and panel.name in shorter + longer]
    if cleared:
        of_whom = "" if len(cleared) == len(panels) else f" of {' and '.join(cleared)}"
        said.append(
            f"The baseline{of_whom} is not the cause. Where a batch ends, the critic's guess "
            "stands for the rest of each return: a [[bootstrap|bootstrap]], as the lesson *Why "
            "bootstrap?* shows."
        )
    return " ".join(said)


def panel_table(panels: Sequence[Panel]) -> pd.DataFrame:
    """The numbers of the panels, each with its 95% interval."""
    return pd.DataFrame(
        {
            "estimator": panel.name,
            "updates the right way": f"{panel.right:.0%}",
            "mean update along the true gradient": f"{panel.mean:.3f}",
            "variance in the picture's plane": f"{panel.drawn:.0%}",
            "n batches": panel.right.n,
        }
        for panel in panels
    )


def on_learning(mean: Interval, critic: Interval, area: Interval) -> str:
    """Whether more updates the right way go with more learning: batch mean against critic.

    Args:
        mean, critic: shares of updates the right way, of the batch mean and of the critic.
        area: what the batch mean's return over training has more than the critic's; n counts seeds.
    """
    if mean.high < critic.low:
        shares = "Fewer updates of Batch mean point the right way than of Actor-critic"
    elif mean.low > critic.high:
        shares = "More updates of Batch mean point the right way than of Actor-critic"
    else:
        shares = "The shares of Batch mean and Actor-critic are not told apart"
    n = min(area.n)
    if area.low > 0:
        learned = f"Batch mean's return over training is {area:+.0f} higher"
    elif area.high < 0:
        learned = f"Batch mean's return over training is lower, by {area:+.0f}"
    else:
        learned = f"their returns over training differ by {area:+.0f} and are not told apart"
    return (
        f"**The right way, and who learns better.** {shares}: {mean:.0%} against {critic:.0%} "
        f"(n = {mean.n:,} batches). Trained with these settings, {learned} (n = {n} seeds each). "
        "This page does not tell why one learns better. It measures one policy, and training "
        "passes through many. It measures gradients, and training takes Adam's steps."
    )


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
        "[[critic]] have the same expected update. They differ in variance alone. Along the true "
        f"gradient that mean is off by {critic.bias.along:+.1%} of its length: where the batch "
        "ends, the critic's guess stands for the rest (a [[bootstrap|bootstrap]]). The batch's "
        f"own mean adds {batch_mean.added.along:+.1%}: the returns in it contain what the action "
        "caused "
        f"(n = {critic.ratio.n:,} batches)."
    )


def on_the_critic(critic: Measurement, against_constant: Interval) -> str:
    """The learned critic against the best constant, in Markdown."""
    return (
        "**The learned critic against one good number.** The variance with the critic is "
        f"{critic.ratio} of plain policy gradient's. It is {against_constant} of that with the "
        f"[[best_constant|best constant]], b* of other batches: {verdict(against_constant)}."
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
        f"**[[leave_one_out|Leave one out]] against the batch mean.** An action's own return is "
        f"1/T = {1 / batch_size:.0%} of the batch mean. Leave one out takes it away. The bias that "
        f"the baseline adds goes from {batch_mean.added.along:+.1%} to "
        f"{leave_one_out.added.along:+.1%}: the other steps of the same [[trajectory]] contain "
        "what the action caused, too. Both point the same way, since one is T/(T - 1) times the "
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
        f"(n = {known[best].ratio.n:,} batches). The intervals are not corrected for picking the "
        f"best of {len(known)}."
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
    """Whether larger batches pay as 1/T says, in Markdown.

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
        f"**Is it 1/T?** A batch has T steps. For the [[score|scores]] alone it is, by theory. "
        f"Measured, a batch of {longest} has {at(longest, 'score', 'design_effect')} times the "
        f"variance that {longest} independent steps would have. With returns as weights two "
        "things change. The steps of one trajectory are correlated: with its own returns, plain "
        f"policy gradient has {at(longest, 'policy_gradient', 'design_effect')} times the "
        "variance of independent steps. And the returns themselves change: in a short batch they "
        "are mostly the critic's guess, in a long one mostly rewards. "
        f"From T = 1 to {longest}, tr Σ goes {fall['policy_gradient']} for plain policy gradient, "
        f"{fall['actor_critic']} with the critic (n = {n:,} batches)."
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


def mean_description(panel: Panel) -> str:
    """The magnified mean in words, for a screen reader."""
    return (
        f"{panel.name}: the mean of n = {panel.mean.n:,} updates reaches {panel.mean:.2f} along "
        "the true gradient, whose length is 1."
    )


def on_the_panels(found: Findings, drawn: int) -> str:
    """What the panels draw, and how well the truth is known."""
    n, size = found.windows.mc_q.shape
    return (
        f"Each panel draws {drawn} of n = {n:,} updates, each from a batch of {size} steps, the "
        "same batches in every panel. Longer arrows leave the frame. The mean is that of all "
        f"n = {n:,}. The true gradient comes from the returns of {found.reference.n:,} other, long "
        f"batches; its relative error is {found.reference.relative_error:.1%}. A picture is flat "
        "and the parameters are many: the last column but one says how much of the variance it "
        f"shows. [ ]: 95% intervals. {ADAM}"
    )


def on_the_table(name: str, n: int, size: int) -> str:
    """How the table of all estimators was measured."""
    return (
        f"n = {n:,} batches of {size} steps of one policy ({name}): another seed or "
        "[[checkpoint]] is another policy. Variance is [[tr_sigma|tr Σ]], summed over all "
        "parameters. Noise / signal is √(tr Σ) / |E g| of one update, where E g is the mean update "
        "([[snr]]). A bias is a share of the true gradient's length, signed "
        "along it. It is freed of the noise that is known to be noise, so it differs a little "
        "from the mean that is drawn. Normalized has weights on another scale, and its biases "
        "contain that scale. PPO is measured before its first step, where its gradient is GAE's. "
        f"{OTHER_BATCHES} {FIXED_LENGTH} Brackets: 95% [[resampling|bootstrap intervals]] over "
        "batches."
    )


def batch_table(rows: pd.DataFrame) -> pd.DataFrame:
    """What the chart of the batch size draws."""
    shown = rows[["name", "batch_size", "tr_sigma", "tr_sigma_low", "tr_sigma_high"]]
    return shown.set_axis(["line", "steps in a batch", "tr Σ", "95% from", "to"], axis=1)


def on_the_batches(n: int, longest: int) -> str:
    """How the chart of the batch size was measured."""
    return (
        f"n = {n:,} batches of {longest} steps of the same policy, cut short for smaller T. Bands "
        "are 95% bootstrap intervals. Both axes are logarithmic. Where a batch is cut, the critic "
        "is asked, so a short batch relies on its guess and a long one on rewards."
    )
