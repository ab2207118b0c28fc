"""Is `Config.lab()` the notebook? Both learn the lab's three tasks; their means are compared."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks import notebook
from pgcore import Config, stats, train

OUR_SEEDS = 200


def compare(seeds: int) -> list[dict[str, Any]]:
    """Rows (algorithm, score): both means, ours minus the notebook's with Welch's 95% interval."""
    rows = []
    for algorithm in notebook.AGENTS:
        runs = [notebook.train(algorithm, seed) for seed in range(seeds)]
        theirs = np.stack([returns for returns, _ in runs], axis=-1)  # [K, S]
        ours = train(Config.lab(algorithm=algorithm, num_seeds=OUR_SEEDS)).eval_returns
        for score, x, y in (
            ("final return", theirs[-1], ours[-1]),
            ("area under curve", theirs.mean(0), ours.mean(0)),
        ):
            difference = stats.difference_interval(x, y)
            rows.append(
                {
                    "algorithm": algorithm,
                    "score": score,
                    "notebook": float(x.mean()),
                    "notebook_seeds": x.tolist(),
                    "ours": float(y.mean()),
                    "difference": float(difference.estimate),
                    "low": float(difference.low),
                    "high": float(difference.high),
                    "n": list(difference.n),
                }
            )
    return rows
