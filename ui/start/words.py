"""What Start says of its field, in sentences."""

from __future__ import annotations

from collections.abc import Mapping

from pgcore.algorithms import ALGORITHMS
from pgcore.history import History
from pgcore.plotting.bands import BANDS

OPENING = (
    "Each cart is an **agent**. It pushes left or right, [[episode]] after episode. Its "
    "[[episodic_return|return]] is the number of steps until its pole falls or it leaves the "
    "track, at most 500. It learns by "
    "[[policy]] gradients: an action that was followed by a larger return becomes more probable. "
    "The three colours differ only in their [[baseline]], a number that is subtracted from the "
    "return."
)
QUESTION = "Which baseline is best?"
LEARN = (
    "Lessons of a few minutes follow the lecture. The first one: how much does one "
    "[[estimate|update]] vary?"
)
EXPLORE = (
    "Choose [[estimator|estimators]], move a slider, and all seeds train again. The **lab "
    "notebook** is the exercise that this lab grew from: these three agents on CartPole, 10 "
    "[[seed|seeds]] each, mean and [[std|standard deviation]]."
)
TEACH = (
    "Let a class draw studies of ten seeds and see how often the wrong estimator wins. Every "
    "page has one question, and its link keeps all settings."
)
READING = "Brackets hold [[interval|95% intervals]]; [[n|n]] counts [[seed|seeds]]."
NOTES = {  # the baseline of each estimator, beside its name
    "policy_gradient": "nothing is subtracted",
    "batch_mean": "minus the mean of the batch",
    "actor_critic": "minus the state's learned value",
}


def on_references(threshold: float, random: float, episodes: int) -> str:
    """What the dotted lines of the field are; `episodes` is the n of the random actions."""
    return (
        f"Dotted: Gymnasium calls {threshold:.0f} the threshold of a solved task; random actions "
        f"reach {random:.0f} on average (n = {episodes:,} episodes)."
    )


def said(histories: Mapping[str, History]) -> list[str]:
    """A sentence for each checkpoint, by algorithm: before training, then each evaluation.

    Args:
        histories: runs with the same evaluations and the same number of seeds.

    Returns: [K + 1] sentences; each number is a mean return over seeds with its 95% t interval.
    """
    first = next(iter(histories.values()))
    config, steps = first.config, first.eval_steps.tolist()
    bands = {key: BANDS["95%"].of(history.eval_returns.T) for key, history in histories.items()}
    before = (
        f"After 0 steps, no agent has learned yet. The first evaluation follows after {steps[0]:,} "
        "steps."
    )
    return [before] + [
        f"After {step:,} steps, the mean return of {config.eval_episodes} episodes: "
        + ", ".join(
            f"{ALGORITHMS[key].name} {band._replace(estimate=m, low=low, high=high):.0f}"
            for key, band in bands.items()
            for m, low, high in [(band.estimate[k], band.low[k], band.high[k])]
        )
        + f". In brackets: 95% intervals, n = {config.num_seeds} seeds each."
        for k, step in enumerate(steps)
    ]
