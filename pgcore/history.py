"""History: what a run leaves behind. K evaluations, S seeds, E episodes, P parameters."""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import ArrayLike

from pgcore import envs, networks, stats
from pgcore.algorithms import ALGORITHMS
from pgcore.config import Config

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

FILE_FORMAT, FILE_VERSION = "pgcore history", 1
MAX_HEADER_BYTES = 1 << 20


@dataclass(frozen=True, eq=False)
class History:
    """Evaluations and checkpoints of one run, complete or so far."""

    config: Config
    eval_steps: np.ndarray  # [K] environment steps
    eval_episode_returns: np.ndarray  # [K, S, E] undiscounted episodic returns
    checkpoints: np.ndarray  # [K + 1, S, P] parameters; checkpoint 0 is before training

    @property
    def eval_returns(self) -> np.ndarray:
        """Mean episodic return of the evaluation's episodes.  [K, S]"""
        return self.eval_episode_returns.mean(-1)

    @property
    def final_returns(self) -> np.ndarray:
        """The last evaluation.  [S]"""
        return self.eval_returns[-1]

    @property
    def area_under_curve(self) -> np.ndarray:
        """Mean of a seed's evaluations: the area under its curve per step of training.  [S]"""
        return self.eval_returns.mean(0)

    @property
    def complete(self) -> bool:
        return len(self.eval_steps) == len(self.config.eval_steps)

    def reached(self, threshold: float) -> np.ndarray:
        """Which seeds had an evaluation of at least `threshold`.  [S] bool

        The best of K means of `eval_episodes` episodes: many seeds have one such evaluation whose
        policy does not reach the threshold over 100 episodes (see `pgcore.final_evaluation`).
        """
        return np.any(self.eval_returns >= threshold, axis=0)

    def upto(self, evaluations: int) -> History:
        """The run as it stood after its first evaluations."""
        k = evaluations
        return History(
            self.config,
            self.eval_steps[:k],
            self.eval_episode_returns[:k],
            self.checkpoints[: k + 1],
        )

    def to_frame(self) -> pd.DataFrame:
        """Tidy: a row an evaluation and seed."""
        import pandas as pd

        steps, seeds = np.meshgrid(self.eval_steps, self.config.seeds, indexing="ij")
        return pd.DataFrame(
            {
                "algorithm": self.config.algorithm,
                "seed": seeds.ravel(),
                "step": steps.ravel(),
                "eval_return": self.eval_returns.ravel(),
                "eval_episodes": self.config.eval_episodes,
                "evaluation": "greedy" if self.config.eval_greedy else "sampled",
            }
        )

    def to_csv(self) -> str:
        """`to_frame` as CSV."""
        text = io.StringIO()
        self.to_frame().to_csv(text, index=False, lineterminator="\n")
        return text.getvalue()

    def __eq__(self, other: object) -> bool:
        """Equal configs and equal arrays, bit for bit (nan equals nan)."""
        if not isinstance(other, History):
            return NotImplemented
        return self.config == other.config and all(
            np.array_equal(getattr(self, spec.name), getattr(other, spec.name), equal_nan=True)
            for spec in fields(self)
            if spec.name != "config"
        )

    __hash__ = None  # type: ignore[assignment]  # arrays can change

    def __repr__(self) -> str:
        config, k = self.config, len(self.eval_steps)
        name, seeds = ALGORITHMS[config.algorithm].name, config.num_seeds
        if not k:
            return f"History: {name}, n = {seeds} seeds, not evaluated yet"
        final = f"{stats.mean_t_interval(self.final_returns):.1f}"
        so_far = "" if self.complete else f" of {config.total_timesteps:,}"
        return (
            f"History: {name}, n = {seeds} seeds, {self.eval_steps[-1]:,}{so_far} steps, "
            f"final return {final} (mean, 95% t interval)"
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        """A notebook shows the learning curve, by whichever renderer Altair is told to use."""
        return self.plot()._repr_mimebundle_(include, exclude)

    def _repr_html_(self) -> str:
        """The same for programs that know HTML only."""
        return str(self.plot().to_html(fullhtml=False))

    def plot(self, band: str = "95%") -> alt.LayerChart:
        """The learning curve with its data, for a notebook.

        Args:
            band: a key of `pgcore.plotting.bands.BANDS`: "std", "95%", "iqm", "seeds" ...

        Raises: ValueError for another band.
        """
        from pgcore.plotting import curves, series  # Altair takes half a second to import

        return curves.chart(series.of_histories([self]), band)

    def policy(self, seed: int, checkpoint: int = -1) -> Callable[[ArrayLike], np.ndarray]:
        """One seed's policy at one checkpoint: observations [D] or [N, D] -> probabilities.

            act, rng = history.policy(seed=0), np.random.default_rng(0)
            env = gymnasium.make(history.config.env_id)
            obs, _ = env.reset(seed=0)
            ended = False
            while not ended:
                obs, _, terminated, truncated, _ = env.step(rng.choice(2, p=act(obs)))
                ended = terminated or truncated

        Args:
            seed: a training seed, of `history.config.seeds`.
            checkpoint: 0 is before training, k after evaluation k; -1 is the last.

        Returns: a function from observations to [A] or [N, A] float64, whose rows sum to 1.
        Raises: ValueError if the run has no such seed or checkpoint, or for other observations.
        """
        seeds, count = self.config.seeds, len(self.checkpoints)
        if seed not in seeds:
            raise ValueError(f"seed is {seed}; this run has {seeds[0]} to {seeds[-1]}.")
        if not -count <= checkpoint < count:
            raise ValueError(
                f"checkpoint is {checkpoint}; it must be from {-count} to {count - 1}."
            )
        env, shape = envs.describe(self.config.env_id), _shape(self.config)
        params = self.checkpoints[checkpoint, seeds.index(seed)].copy()
        network = shape.policy(params[None])

        def probabilities(obs: ArrayLike) -> np.ndarray:
            x = np.asarray(obs, np.float32)
            if x.ndim not in (1, 2) or x.shape[-1] != env.obs_dim:
                wanted = f"[{env.obs_dim}] or [N, {env.obs_dim}]"
                raise ValueError(f"observations are {list(x.shape)}; they must be {wanted}.")
            logits = networks.forward(network, np.atleast_2d(x)[None])[0].astype(np.float64)
            odds = np.exp(logits - logits.max(-1, keepdims=True))
            return (odds / odds.sum(-1, keepdims=True)).reshape(*x.shape[:-1], env.num_actions)

        return probabilities

    def save(self, path: str | Path) -> None:
        """Write config and arrays to one file: npz with a JSON header, nothing pickled."""
        header = {"format": FILE_FORMAT, "version": FILE_VERSION, "config": asdict(self.config)}
        arrays = {
            spec.name: getattr(self, spec.name) for spec in fields(self) if spec.name != "config"
        }
        with Path(path).open("wb") as file:  # numpy would add .npz to a bare name
            np.savez_compressed(file, header=np.array(json.dumps(header)), **arrays)

    @classmethod
    def load(cls, path: str | Path) -> History:
        """Read what `save` wrote. The file may come from anybody: nothing that it says of itself
        is trusted, and nothing is unpickled.

        Raises: OSError if there is no such file; ValueError if it is not a history, was written
            by a later version, or its arrays do not fit its config.
        """
        name = repr(str(path))
        with Path(path).open("rb") as file:
            header = _header(file)
            if header is None:
                raise ValueError(f"{name} is not a history that was saved by pgcore.")
            if (version := header["version"]) != FILE_VERSION:
                raise ValueError(
                    f"{name} is a history of version {str(version)[:20]}; this pgcore reads "
                    f"{FILE_VERSION}."
                )
            if strange := set(header["config"]) - {spec.name for spec in fields(Config)}:
                raise ValueError(
                    f"{name} is not a whole history: {min(strange)[:40]!r} is no setting."
                )
            config = Config(**header["config"])
            shape = _shape(config)
            room = 8 * (len(config.eval_steps) + 1) * config.num_seeds
            room *= shape.size + config.eval_episodes
            arrays = {}
            for part in (spec.name for spec in fields(cls) if spec.name != "config"):
                array = _array(file, part, "if", room)
                if array is None:
                    raise ValueError(f"{name} is not a whole history: it has no sound {part}.")
                arrays[part] = array
        history = cls(config, **arrays)
        history._check(name)
        return history

    def _check(self, name: str) -> None:
        """Whether the arrays are those of the config, complete or so far."""
        config, k = self.config, self.eval_steps.size
        fits = (
            self.eval_steps.tolist() == list(config.eval_steps[:k])
            and self.eval_episode_returns.shape == (k, config.num_seeds, config.eval_episodes)
            and self.checkpoints.shape == (k + 1, config.num_seeds, _shape(config).size)
        )
        if not fits:
            raise ValueError(f"{name} holds arrays that do not fit its config.")


def _shape(config: Config) -> networks.Shape:
    env = envs.describe(config.env_id)
    return networks.Shape(env.obs_dim, config.hidden_dim, env.num_actions)


# --- a file, which may hold anything ---


def _header(file: BinaryIO) -> dict[str, Any] | None:
    """What the file says that it is, if it is one of ours of any version."""
    text = _array(file, "header", "U", MAX_HEADER_BYTES)
    try:
        header = json.loads(str(text))
    except (ValueError, RecursionError):
        return None
    ours = (
        isinstance(header, dict)
        and header.get("format") == FILE_FORMAT
        and type(header.get("version")) is int
        and isinstance(header.get("config"), dict)
    )
    return header if ours else None


def _array(file: BinaryIO, name: str, kinds: str, room: int) -> np.ndarray | None:
    """An array of the file, if it is there, whole, of a kind that numpy names by these letters,
    and takes at most `room` bytes: a few bytes can say that terabytes follow."""
    layout = np.lib.format
    try:
        with zipfile.ZipFile(file) as members, members.open(f"{name}.npy") as member:
            if layout.read_magic(member) != (1, 0):
                return None
            shape, by_column, dtype = layout.read_array_header_1_0(member)
            size = math.prod(shape) * dtype.itemsize
            if dtype.kind not in kinds or min(shape, default=0) < 0 or size > room:
                return None
            data = member.read(size + 1)
        return np.frombuffer(data, dtype).reshape(shape, order="F" if by_column else "C").copy()
    except Exception:  # of zipfile, zlib and numpy, whatever a damaged file makes them raise
        return None
