"""The lab notebook's loop, timed and kept. Its classes and the loop are in pgcore.exhibits.lab."""

from __future__ import annotations

import argparse
import datetime
import json
import os
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pgcore.exhibits import lab

KEPT = Path(__file__).parent / "notebook.json"  # curves, run once and kept with their date

AGENTS: dict[str, type[lab.PolicyGradient]] = {
    "policy_gradient": lab.PolicyGradient,
    "batch_mean": lab.BaselinedPolicyGradient,
    "batch_mean_with_critic": lab.BaselinedPolicyGradientWithCritic,
    "actor_critic": lab.ActorCritic,
}


def train(algorithm: str, seed: int) -> tuple[np.ndarray, float]:
    """The notebook's `train` for one seed.

    Returns: mean episodic return at each evaluation [K], seconds.
    """
    torch.manual_seed(seed)
    started = time.perf_counter()
    returns = lab.train(AGENTS[algorithm](), seed)
    return returns, time.perf_counter() - started


def kept_run(agent: str, seed: int) -> dict[str, Any]:
    """One seed as notebook.json keeps it."""
    torch.set_num_threads(1)
    returns, seconds = train(agent, seed)
    return {
        "agent": agent,
        "seed": seed,
        "returns": [round(x, 1) for x in returns.tolist()],
        "seconds": round(seconds, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Run the notebook's loop and keep its curves.")
    parser.add_argument("--seeds", type=int, default=60)
    seeds = range(parser.parse_args().seeds)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        runs = list(pool.map(kept_run, *zip(*product(AGENTS, seeds), strict=True)))
    KEPT.write_text(_text({"date": str(datetime.date.today()), "runs": runs}))


def _text(kept: dict[str, Any]) -> str:
    """JSON with a line a run."""
    runs = ",\n".join(json.dumps(run) for run in kept["runs"])
    return f'{{"date": "{kept["date"]}", "runs": [\n{runs}\n]}}\n'


if __name__ == "__main__":
    main()
