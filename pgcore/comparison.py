"""Several runs side by side: `compare(configs)` trains them and gives a table and a chart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pgcore import envs
from pgcore.config import Config
from pgcore.history import History
from pgcore.train import final_evaluation, train

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

    from pgcore.plotting.series import Series

Comparable = Config | History


@dataclass(frozen=True, eq=False)
class Comparison:
    """Histories under their labels; a notebook shows the chart and the table."""

    series: tuple[Series, ...]

    @property
    def histories(self) -> dict[str, History]:
        """Each history by its label."""
        return {one.label: one.history for one in self.series}

    @property
    def table(self) -> pd.DataFrame:
        """Final return, mean return, and two counts of seeds, each with its 95% interval: those
        whose best evaluation reached the threshold, and those whose last policy solves the task.

        Solved is a mean of 100 episodes at the threshold; they are played when the table is first
        asked for (`pgcore.final_evaluation`). Intervals hold for each row; for a difference, see
        `pgcore.stats.difference_interval`.
        """
        from pgcore.plotting import curves

        env = envs.describe(self.series[0].history.config.env_id)
        return curves.table(self._evaluated, env.reward_threshold)

    @cached_property
    def _evaluated(self) -> tuple[Series, ...]:
        """The series with their last policies' returns over 100 episodes."""
        return tuple(replace(one, final=final_evaluation(one.history)) for one in self.series)

    def plot(self, band: str = "95%") -> alt.LayerChart:
        """All learning curves on one chart.

        Raises: ValueError for a band that `pgcore.plotting.bands.BANDS` does not hold.
        """
        from pgcore.plotting import curves

        return curves.chart(self.series, band)

    def __repr__(self) -> str:
        return self.table.to_string(index=False)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        """A notebook shows the chart, by whichever renderer Altair is told to use, and the table
        below it where that renderer writes HTML."""
        bundle = self.plot()._repr_mimebundle_(include, exclude)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        if data and "text/html" in data:
            data["text/html"] += self.table.to_html(index=False, border=0)
        return bundle

    def _repr_html_(self) -> str:
        """The same for programs that know HTML only."""
        return str(self.plot().to_html(fullhtml=False)) + self.table.to_html(index=False, border=0)


def compare(
    runs: Iterable[Comparable] | Mapping[str, Comparable],
    threads: int | None = None,
) -> Comparison:
    """Train configs, or take histories as they are, and set them side by side.

        compare([Config(gamma=gamma, num_seeds=100) for gamma in (0.9, 0.99, 1.0)])
        compare({"as written": Config.lab(), "corrected": Config()})

    Args:
        runs: all in one environment. A mapping gives the labels; else each is labelled by the
            settings in which it differs from the others.

    Raises: ValueError if there is nothing to compare, runs cannot be told apart, or their
        environments differ.
    """
    from pgcore.plotting.series import (
        differences,
        of_histories,
    )  # Altair takes half a second to import

    labels = list(runs) if isinstance(runs, Mapping) else None
    given = list(runs.values() if isinstance(runs, Mapping) else runs)
    if not given:
        raise ValueError("There is nothing to compare: give at least one config or history.")
    configs = [run.config if isinstance(run, History) else run for run in given]
    if len({config.env_id for config in configs}) > 1:
        raise ValueError("Returns of different environments cannot be compared.")
    if labels is None and len(set(differences(configs))) < len(configs):
        raise ValueError("Two runs have the same settings; give a mapping from labels to runs.")
    histories = [run if isinstance(run, History) else train(run, threads) for run in given]
    series = of_histories(histories)
    if labels:
        series = [replace(one, label=label) for one, label in zip(series, labels, strict=True)]
    return Comparison(tuple(series))
