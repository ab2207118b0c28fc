"""ToyPole under the library's own estimators: all windows enumerated, beside windows sampled.

Everything exact is a sum over all windows of T steps; everything sampled comes from windows that
were played, the same ones for every estimator. Lengths along the gradient g_inf are in units of
its own length, so that 1 is unbiased.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd

from pgcore import stats
from pgcore.algorithms import ALGORITHMS
from pgcore.config import Config
from pgcore.exact import batch_gradients
from pgcore.exact.toypole import STATES, ToyPole, Windows

LIBRARY = ("policy_gradient", "constant", "batch_mean", "leave_one_out", "actor_critic")
STATE_OPTIMUM = "b*(s)"
LENGTHS = range(1, 13)  # listed; beyond, sampled
LONG = (16, 32, 64)
LAMBDAS = np.round(np.linspace(0, 1, 101), 2)
CRITIC_ERROR = np.array([1.0, -1.0, 1.0, -1.0, 1.0])
SHRINKING = ("batch_mean", "leave_one_out")
FIELDS = {"g∞": lambda lab: lab.gradient, "∇J": lambda lab: lab.discounted_gradient}


@lru_cache(maxsize=64)
def pole(theta: tuple[float, ...], gamma: float) -> ToyPole:
    """The laboratory with these policy logits."""
    return ToyPole(theta, gamma)


@lru_cache(maxsize=16)
def listed(lab: ToyPole, length: int = 8) -> Windows:
    """All its windows."""
    return lab.windows(length)


@lru_cache(maxsize=16)
def played(lab: ToyPole, n: int, length: int, draw: int) -> Windows:
    """n windows, sampled; `draw` is the seed."""
    return lab.sample_windows(n, length, np.random.default_rng(draw))


def weights(lab: ToyPole, windows: Windows, constant: float) -> dict[str, np.ndarray]:
    """Psi [W, T] of every estimator: the library's own functions, and the best state baseline."""
    psi = {
        key: ALGORITHMS[key].weight(
            windows.batch, Config(algorithm=key, gamma=lab.gamma, baseline=constant)
        )
        for key in LIBRARY
    }
    return psi | {STATE_OPTIMUM: windows.q_values - lab.optimal_state_baseline[windows.states]}


def name_of(key: str, constant: float) -> str:
    """The estimator in words, with its baseline."""
    if key == "constant":
        return f"Constant {constant:g}"
    return {
        "policy_gradient": "None",
        "actor_critic": "V(s)",
        STATE_OPTIMUM: STATE_OPTIMUM,
    }.get(key) or ALGORITHMS[key].name


@lru_cache(maxsize=64)
def exact_rows(lab: ToyPole, constant: float, length: int = 8) -> pd.DataFrame:
    """Every estimator, all windows enumerated: kept (share of g that the mean keeps along g),
    relative bias |mean - g| / |g|, and tr Var."""
    windows, g = listed(lab, length), lab.gradient
    rows = []
    for key, psi in weights(lab, windows, constant).items():
        measured = lab.measure(windows, psi)
        rows.append(
            {
                "key": key,
                "estimator": name_of(key, constant),
                "kept": float(measured.mean @ g / (g @ g)),
                "relative_bias": measured.relative_bias,
                "tr_var": measured.tr_var,
            }
        )
    return pd.DataFrame(rows)


def sampled_rows(lab: ToyPole, constant: float, n: int, draw: int, length: int = 8) -> pd.DataFrame:
    """The same from n played windows, the same ones for every estimator, with 95% intervals.

    kept: t interval of the projections on g. tr Var: t interval of n / (n-1) |g_i - mean|^2.
    """
    windows = played(lab, n, length, draw)
    rows = []
    for key, psi in weights(lab, windows, constant).items():
        gradients = batch_gradients(psi, windows.scores)  # [n, 5]
        kept = kept_interval(lab, gradients)
        squares = ((gradients - gradients.mean(0)) ** 2).sum(-1) * (n / (n - 1))
        spread = stats.mean_t_interval(squares)
        rows.append(
            {
                "key": key,
                "estimator": name_of(key, constant),
                "kept": kept.estimate,
                "kept_low": kept.low,
                "kept_high": kept.high,
                "tr_var": spread.estimate,
                "tr_var_low": max(float(spread.low), 1e-6),
                "tr_var_high": spread.high,
            }
        )
    return pd.DataFrame(rows)


def kept_interval(lab: ToyPole, gradients: np.ndarray) -> stats.Interval:
    """Mean length along g, in units of |g|, over windows.  [n, 5]"""
    g = lab.gradient
    return stats.mean_t_interval(gradients @ g / (g @ g))


def estimate_rows(lab: ToyPole, constant: float, n: int, draw: int) -> pd.DataFrame:
    """`exact_rows` and `sampled_rows` on one chart."""
    exact = exact_rows(lab, constant).assign(part="exact")
    return pd.concat(
        [exact, sampled_rows(lab, constant, n, draw).assign(part="sampled")], ignore_index=True
    )


@lru_cache(maxsize=16)
def length_rows(lab: ToyPole, n: int, draw: int) -> pd.DataFrame:
    """Share of the gradient lost against T: listed up to 12 steps, beyond from n windows."""
    rows = []
    for length in LENGTHS:
        exact = exact_rows(lab, 0.0, length).set_index("key")
        rows += [
            {"part": "exact", "key": key, "T": length, "lost": 1 - exact.loc[key, "kept"]}
            for key in SHRINKING
            if length > 1
        ]
    for length in LONG:
        windows = lab.sample_windows(n, length, np.random.default_rng([draw, length]))
        psi = weights(lab, windows, 0.0)
        for key in SHRINKING:
            kept = kept_interval(lab, batch_gradients(psi[key], windows.scores))
            rows.append(
                {
                    "part": "sampled",
                    "key": key,
                    "T": length,
                    "lost": 1 - kept.estimate,
                    "low": 1 - kept.high,
                    "high": 1 - kept.low,
                }
            )
    frame = pd.DataFrame(rows)
    reference = pd.DataFrame({"part": "1/T", "T": 2.0 ** np.linspace(1, 6, 41)})
    reference["lost"] = 1 / reference["T"]
    reference.loc[0, "text"] = "dashed: 1/T, independent samples"
    frame = pd.concat([frame, reference], ignore_index=True)
    frame["name"] = [ALGORITHMS[key].name if key in ALGORITHMS else "" for key in frame["key"]]
    return frame


def lost_at(rows: pd.DataFrame, length: int) -> dict[str, float]:
    """What each estimator of `length_rows` loses at one length, exactly."""
    exact = rows[(rows["part"] == "exact") & (rows["T"] == length)]
    return dict(zip(exact["key"], exact["lost"], strict=True))


def cosine(lab: ToyPole, key: str, length: int = 8) -> float:
    """Between an estimator's mean and g: a shrink alone has 1."""
    windows = listed(lab, length)
    mean = lab.measure(windows, weights(lab, windows, 0.0)[key]).mean
    g = lab.gradient
    return float(mean @ g / np.linalg.norm(mean) / np.linalg.norm(g))


@lru_cache(maxsize=64)
def gae_curve(lab: ToyPole, error: float, length: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Relative bias and tr Var at LAMBDAS under V + error (1, -1, 1, -1, 1).  [L], [L]"""
    return lab.gae_curve(lab.values + error * CRITIC_ERROR, LAMBDAS, length)


def lambda_rows(lab: ToyPole, error: float, averaged: int) -> pd.DataFrame:
    """Error of a mean of `averaged` windows, in units of |g|: bias, noise and both together."""
    bias, tr_var = gae_curve(lab, error)
    noise = np.sqrt(tr_var / averaged) / np.linalg.norm(lab.gradient)
    curves = {"bias": bias, "noise": noise, "total": np.hypot(bias, noise)}
    frame = pd.concat(
        [
            pd.DataFrame({"part": "curve", "kind": kind, "lambda": LAMBDAS, "error": values})
            for kind, values in curves.items()
        ],
        ignore_index=True,
    )
    best = int(curves["total"].argmin())
    low = {"part": "best", "kind": "total", "lambda": LAMBDAS[best], "error": curves["total"][best]}
    low["text"] = f"least at λ = {LAMBDAS[best]:.2f}"
    return pd.concat([frame, pd.DataFrame([low])], ignore_index=True)


def best_lambda(lab: ToyPole, error: float, averaged: int) -> float:
    """The lambda of least total error, to .01."""
    rows = lambda_rows(lab, error, averaged)
    return float(rows.loc[rows["part"] == "best", "lambda"].iloc[0])


def field_rows(lab: ToyPole) -> pd.DataFrame:
    """Both gradients by state, each scaled to length 1."""
    parts = []
    for name, field in FIELDS.items():
        values = field(lab)
        part = pd.DataFrame({"field": name, "x": range(STATES), "value": values})
        parts.append(part.assign(share=values / np.linalg.norm(values)))
    return pd.concat(parts, ignore_index=True)


@lru_cache(maxsize=16)
def climb_rows(lab: ToyPole, states: tuple[int, int], radius: float) -> pd.DataFrame:
    """Height on a walk round theta under both fields, each in units of its own swing."""
    parts = []
    for name, field in FIELDS.items():
        height = lab.climb(field, states, radius)
        swing = np.ptp(height)
        part = pd.DataFrame({"field": name, "lap": np.linspace(0, 1, len(height))})
        part["height"] = height / swing
        part.loc[part.index[-1], "text"] = f"{round(height[-1] / swing, 3) + 0.0:.3f}"
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def asymmetries(lab: ToyPole) -> dict[str, float]:
    """|J - J'| / |J + J'| of both fields: 0 iff it is the gradient of a function."""
    return {name: lab.asymmetry(field) for name, field in FIELDS.items()}


def angle_between(lab: ToyPole) -> float:
    """Degrees between the two gradients."""
    a, b = (field(lab) for field in FIELDS.values())
    return float(np.degrees(np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b))))
