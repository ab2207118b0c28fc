"""A figure is a list of series: each a label, a colour and the config of its run.

A figure is made from one config and some algorithms. Two things make its series differ in more
than the algorithm: `changes`, settings of one algorithm alone (the notebook's second task trains
no critic), and `vary`, a setting that takes several values, each in a series of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, NamedTuple

from pgcore.algorithms import ALGORITHMS
from pgcore.config import Config

FIELDS = {spec.name: spec for spec in fields(Config)}
LAB_ALGORITHMS = ("policy_gradient", "batch_mean", "actor_critic")
COLOURS = 11  # places in the theme's palette
MOST_SERIES = 8
# What may vary inside a figure: numbers that leave the axes as they are.
VARIABLE = tuple(
    name
    for name, spec in FIELDS.items()
    if isinstance(spec.default, int | float)
    and name not in ("num_seeds", "first_seed", "total_timesteps", "eval_interval")
)


class PlannedSeries(NamedTuple):
    """One curve of a figure, before it is trained; with a history it is a plotting Series."""

    label: str
    colour: int  # a place in the theme's categorical colours
    config: Config


@dataclass(frozen=True)
class Figure:
    """What a chart shows.

    Raises: ValueError, one sentence, if there are more series than can be told apart, or if a
        series' settings do not fit together.
    """

    algorithms: tuple[str, ...]
    config: Config  # its `algorithm` is the first of `algorithms`
    changes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # by algorithm
    vary: str | None = None  # one of VARIABLE
    values: tuple[Any, ...] = ()

    def __post_init__(self) -> None:
        count = len(self.algorithms) * max(len(self.values), 1)
        if count > MOST_SERIES and self.vary:
            raise ValueError(
                f"{count} curves are asked for; at most {MOST_SERIES} can be told apart. Choose "
                "fewer values or fewer algorithms."
            )
        _ = self.series  # every config is checked

    def config_of(self, algorithm: str) -> Config:
        """The config of one algorithm, its own changes included."""
        return self.config.replace(algorithm=algorithm, **self.changes.get(algorithm, {}))

    @cached_property
    def series(self) -> dict[str, PlannedSeries]:
        """By name: the algorithm's key, with the value behind it where a setting varies."""
        if not self.vary or not self.values:
            return {
                key: PlannedSeries(self._label(key), ALGORITHMS[key].colour, self.config_of(key))
                for key in self.algorithms
            }
        pairs = [(key, value) for key in self.algorithms for value in self.values]
        return {
            f"{key} {value}": PlannedSeries(
                f"{self._label(key)}, {self.vary} {value:g}",
                place % COLOURS,
                self.config_of(key).replace(**{self.vary: value}),
            )
            for place, (key, value) in enumerate(pairs)
        }

    @property
    def configs(self) -> dict[str, Config]:
        """The series' configs by name."""
        return {name: series.config for name, series in self.series.items()}

    def _label(self, key: str) -> str:
        """The algorithm's name and what is changed for it alone."""
        changed = "".join(
            f", {name} {value}"
            for name, value in self.changes.get(key, {}).items()
            if value != getattr(self.config, name)
        )
        return ALGORITHMS[key].name + changed

    def to_query(self, whole: bool = False) -> dict[str, str]:
        """The figure as URL parameters; `whole` writes the defaults too."""
        values = self.config.to_strings()
        values.pop("algorithm")
        if not whole:
            values = {k: v for k, v in values.items() if v != str(FIELDS[k].default)}
        query = {"algorithms": ",".join(map(self._written, self.algorithms))} | values
        if self.vary and self.values:
            query |= {"vary": self.vary, "values": ",".join(map(str, self.values))}
        return query

    def _written(self, key: str) -> str:
        changed = ";".join(f"{name}={value}" for name, value in self.changes.get(key, {}).items())
        return f"{key}({changed})" if changed else key

    def to_python(self) -> str:
        """The Python that reproduces the figure's numbers."""
        configs = ",\n".join(
            f"    {series.label!r}: {series.config.to_python()}" for series in self.series.values()
        )
        return (
            "from pgcore import Config, train\n\n"
            f"configs = {{\n{configs},\n}}\n"
            "for name, config in configs.items():\n"
            "    history = train(config)\n"
            "    print(name, history.final_returns.mean(), history.final_returns.std(ddof=1))\n"
        )

    def to_commands(self) -> str:
        """The command lines that do the same and write CSV."""
        return "\n".join(
            _command(number, s.config) for number, s in enumerate(self.series.values())
        )


def _command(number: int, config: Config) -> str:
    changed = {
        name: text
        for name, text in config.to_strings().items()
        if name != "algorithm" and text != str(FIELDS[name].default)
    }
    flags = "".join(f" --{name.replace('_', '-')} {_quoted(x)}" for name, x in changed.items())
    return (
        f"pgcore train --algorithm {config.algorithm}{flags} --csv {number}-{config.algorithm}.csv"
    )


def _quoted(text: str) -> str:
    return text if text.replace(".", "").replace("-", "").isalnum() else f'"{text}"'


# --- presets ---


def _lab() -> Figure:
    """Every agent as `Config.lab(algorithm=...)` has it: what all share, and what is one's own."""
    configs = {key: Config.lab(algorithm=key) for key in LAB_ALGORITHMS}
    shared = configs[LAB_ALGORITHMS[0]]
    changes = {
        key: {
            name: getattr(config, name)
            for name in FIELDS
            if name != "algorithm" and getattr(config, name) != getattr(shared, name)
        }
        for key, config in configs.items()
    }
    return Figure(LAB_ALGORITHMS, shared, {key: own for key, own in changes.items() if own})


LAB = _lab()
DEFAULT = Figure(LAB_ALGORITHMS, Config(algorithm=LAB_ALGORITHMS[0]))


# --- from a link ---

_CHANGED = re.compile(r"(?P<key>[^()]*)(?:\((?P<changes>[^()]*)\))?")


def parse_figure(texts: Mapping[str, str]) -> tuple[Figure, list[str]]:
    """The figure that a query describes, and a sentence for everything in it that is refused."""
    texts, refused = dict(texts), []
    names = [name for name in texts.pop("algorithms", "").split(",") if name]
    vary, values = texts.pop("vary", None), texts.pop("values", "")
    config, problems = _parse_config(texts)
    refused += problems
    changes: dict[str, dict[str, Any]] = {}
    for name in names:
        found = _CHANGED.fullmatch(name)
        key = found["key"] if found else name
        if found is None or key not in ALGORITHMS:
            refused.append(
                f"algorithms names {name[:40]!r}; it must name some of {', '.join(ALGORITHMS)}."
            )
            continue
        own = dict(part.partition("=")[::2] for part in (found["changes"] or "").split(";") if part)
        try:
            if strange := set(own) - set(VARIABLE):
                raise ValueError(
                    f"{key} alone is to have {min(strange)[:40]!r}; one algorithm may have its own "
                    f"{', '.join(VARIABLE)}."
                )
            whole = Config.from_strings(config.to_strings() | {"algorithm": key} | own)
        except ValueError as error:
            refused.append(str(error))
            own, whole = {}, config
        changes[key] = {name: getattr(whole, name) for name in own}
    algorithms = tuple(changes) or DEFAULT.algorithms
    config = config.replace(algorithm=algorithms[0])
    changes = {key: own for key, own in changes.items() if own}
    plain = Figure(algorithms, config, changes)
    if vary is None:
        return plain, refused
    try:
        return Figure(algorithms, config, changes, *_parse_vary(vary, values)), refused
    except ValueError as error:
        return plain, [*refused, str(error)]


def _parse_config(texts: Mapping[str, str]) -> tuple[Config, list[str]]:
    try:  # values that only fit each other together, such as a long run's interval
        return Config.from_strings(texts), []
    except ValueError:
        pass
    config, refused = Config(), []
    for name, text in texts.items():  # one by one, so that one bad value spoils only itself
        try:
            config = Config.from_strings(config.to_strings() | {name: text})
        except ValueError as error:
            refused.append(str(error))
    return config, refused


def _parse_vary(name: str, values: str) -> tuple[str, tuple[Any, ...]]:
    if name not in VARIABLE:
        raise ValueError(f"vary is {name[:40]!r}; it must be one of {', '.join(VARIABLE)}.")
    texts = list(dict.fromkeys(text for text in values.split(",") if text))[: MOST_SERIES + 1]
    return name, tuple(getattr(Config.from_strings({name: text}), name) for text in texts)
