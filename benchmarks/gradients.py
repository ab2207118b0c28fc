"""4,000 batches x every estimator: the kernel against torch's vmap of grad, in one run.

    python -m benchmarks.gradients

Both make the same gradients of the same windows; the largest difference is part of the result.
torch is given its two best forms: grad mapped over batches, once for each estimator, and grad
mapped over single steps, once, the scores then being weighed by one einsum.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.func import grad, vmap

from benchmarks.machine import seconds, spread
from pgcore import Config, networks, train
from pgcore.gradients import collect_windows, examine, gradients_of, weights
from pgcore.learners import shape_of

WINDOWS, REPEATS, CHUNK = 4000, 5, 500
CONFIG = Config(num_seeds=1)


def log_probs(theta: Tensor, obs: Tensor, actions: Tensor) -> Tensor:
    """log pi(a_t | s_t) of one batch: theta [P], obs [T, 4], actions [T] -> [T]"""
    logits = networks.forward(shape_of(CONFIG).policy(theta[None]), obs[None])[0]  # [T, A]
    return torch.log_softmax(logits, -1).gather(-1, actions[:, None])[:, 0]


def surrogate(theta: Tensor, obs: Tensor, actions: Tensor, psi: Tensor) -> Tensor:
    """(1/T) sum_t Psi_t log pi(a_t | s_t), whose gradient is the estimate."""
    return (psi * log_probs(theta, obs, actions)).mean()


def per_batch(theta: Tensor, obs: Tensor, actions: Tensor, psi: Tensor) -> Tensor:
    """psi [M, N, T] -> [M, N, P]"""
    mapped = vmap(grad(surrogate), in_dims=(None, 0, 0, 0), chunk_size=CHUNK)
    return torch.stack([mapped(theta, obs, actions, weight) for weight in psi])


def per_step(theta: Tensor, obs: Tensor, actions: Tensor, psi: Tensor) -> Tensor:
    """The same from the scores of single steps, a chunk of batches at a time."""
    score = vmap(grad(lambda *step: log_probs(*step).sum()), in_dims=(None, 0, 0))
    parts = []
    for start in range(0, len(obs), CHUNK):
        part = slice(start, start + CHUNK)
        steps = obs[part].reshape(-1, 1, 4), actions[part].reshape(-1, 1)
        scores = score(theta, *steps).reshape(*obs[part].shape[:2], -1)  # [n, T, P]
        parts.append(torch.einsum("mnt,ntp->mnp", psi[:, part], scores) / obs.shape[1])
    return torch.cat(parts, 1)


def main() -> None:
    row = train(CONFIG).checkpoints[-1, 0]
    windows = collect_windows(row, CONFIG, WINDOWS, 0)
    psi = weights(windows, CONFIG)
    stacked = torch.from_numpy(np.stack([weight.astype(np.float32) for weight in psi.values()]))
    theta = torch.from_numpy(row[: shape_of(CONFIG).policy_size].copy())
    data = theta, torch.from_numpy(windows.batch.obs), torch.from_numpy(windows.batch.actions)

    contenders: dict[str, Callable[[], Any]] = {
        "kernel": lambda: np.stack([*gradients_of(windows, psi).values()]),
        "vmap of grad over batches": lambda: per_batch(*data, stacked).numpy(),
        "vmap of grad over steps": lambda: per_step(*data, stacked).numpy(),
    }
    ours, *theirs = (make() for make in contenders.values())  # warms up as well
    difference = max(float(abs(ours - other).max() / abs(ours).max()) for other in theirs)
    contenders |= {
        "windows played": lambda: collect_windows(row, CONFIG, WINDOWS, 0),
        "whole report": lambda: examine(row, CONFIG, WINDOWS),
    }
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(REPEATS + 1):  # in turn, so that all share the machine's moods
        for name, work in contenders.items():
            times[name].append(seconds(work))
    results = {
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
        "torch": torch.__version__,
        "batches": WINDOWS,
        "batch_size": CONFIG.batch_size,
        "estimators": len(psi),
        "seconds": {name: spread(measured[1:]) for name, measured in times.items()},
        "largest_relative_difference": difference,
    }
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
