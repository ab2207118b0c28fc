"""The last check of an agent: seeds trained beside the reference, with an interval.

The child trains and hands back the policies' weights; both sides are then evaluated here, in the
same way. The settings are for speed: 20 updates, with a large learning rate.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from pgcore import stats
from pgcore.config import Config
from pgcore.exercises.contained import Child
from pgcore.exercises.verdict import Remark, Trial
from pgcore.learners import compiled, shape_of
from pgcore.train import train

SEEDS, SECONDS, FEWEST = 200, 10.0, 10
SPARE = 20.0  # seconds for the last batch, which is not cut short
CONFIDENCE = 0.999  # so that a right solution is refused once in 2,000 times
SETTINGS = dict(
    total_timesteps=640, eval_interval=640, eval_episodes=20,
    learning_rate=0.03, critic_learning_rate=0.03,
)  # fmt: skip


def rule() -> str:
    """What is compared, and when it fails, in words."""
    return (
        f"Up to {SEEDS} seeds in {SECONDS:.0f} s, {SETTINGS['total_timesteps']} steps each with "
        f"learning rate {SETTINGS['learning_rate']}. It fails if the {CONFIDENCE:.1%} interval of "
        "the difference to the reference lies below 0."
    )


def trial(
    task: str, class_name: str, ask: Callable[..., Any], name: str, source: str
) -> tuple[Trial | None, Remark | None]:
    """Train seeds in this child and in one more for each further core.

    Args:
        task: its key, which is also the reference's in pgcore.ALGORITHMS.
        ask: asks the child that has already loaded the file.

    Returns: the comparison, and a remark if it fails, or if too few seeds fit.
    """
    config = Config(algorithm=task, num_seeds=SEEDS, **SETTINGS)  # type: ignore[arg-type]
    workers = min(os.cpu_count() or 1, 4)
    request = dict(
        do="train", steps=config.total_timesteps, batch_size=config.batch_size, gamma=config.gamma,
        hidden_dim=config.hidden_dim, learning_rate=config.learning_rate, seconds=SECONDS,
    ) | {"class": class_name}  # fmt: skip

    def share(worker: int) -> dict[str, list[float]]:
        part = request | {"seeds": list(range(worker, SEEDS, workers))}
        if worker == 0:
            return ask(part, SECONDS + SPARE)["policies"]
        with Child(name) as child:
            child.ask({"do": "load", "source": source})
            return child.ask(part, SECONDS + SPARE)["value"]["policies"]

    with ThreadPoolExecutor(workers) as pool:
        shares = [pool.submit(share, worker) for worker in range(workers)]
        reference = train(config).final_returns
        policies = {int(seed): row for each in shares for seed, row in each.result().items()}
    if len(policies) < FEWEST:
        return None, Remark(
            f"Make act and train faster for a comparison: {len(policies)} seeds were trained in "
            f"{SECONDS:.0f} s, and it takes at least {FEWEST}."
        )
    rows = np.zeros((len(policies), shape_of(config).size), np.float32)
    rows[:, : shape_of(config).policy_size] = list(policies.values())
    yours = compiled.evaluate(rows, config, list(policies), config.total_timesteps).mean(-1)  # type: ignore[arg-type]
    found = Trial(
        f"{stats.mean_t_interval(yours):.1f}", f"{stats.mean_t_interval(reference):.1f}",
        f"{stats.difference_interval(reference, yours):.1f}", len(policies), SEEDS,
        config.total_timesteps, tuple(yours.tolist()), tuple(reference.tolist()),
    )  # fmt: skip
    if stats.difference_interval(reference, yours, CONFIDENCE).high < 0:
        return found, Remark(
            "Look at what the numbers above do not cover: act, the learning rate, the memory. "
            "Every number agrees, and the agent still learns less than the reference.",
            where=f"mean episodic return after {config.total_timesteps} steps, 95% intervals, "
            f"n = {len(policies)} and {SEEDS} seeds",
            expected=found.reference,
            found=found.yours,
        )
    return found, None
