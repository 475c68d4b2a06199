"""What runs were set to as far as they differ: short labels, and runs that repeat others."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from flowtui.store.compare.fact_values import FactValue
from flowtui.store.compare.parameters import Parameters, joined
from flowtui.store.compare.paths import path_texts
from flowtui.store.values import JsonValue

MISSING = "absent"
SMALL = 0.01
"""Numbers nearer to zero are written with a power of ten, as people write a rate: 3e-4."""
MAX_TEXT = 60
_SEED = re.compile(r"(?:^|[._\-/ ])(?:seed|random_state|rng)(?:$|[._\-/ ])", re.IGNORECASE)


class Setting(NamedTuple):
    """What one run has where runs differ."""

    number: int
    """Equal for runs that have the same value there, which need not be written in the same way."""
    text: str
    """The value, as stored and not safe to show."""


Settings = Mapping[str, Setting]
"""By path, whatever paths the runs differ in; empty also for runs that differ in nothing."""


class Repeats(NamedTuple):
    """Runs whose parameters are equal, but for one."""

    path: str
    """The parameter in which they differ; empty if they differ in none, or it is one run."""
    members: tuple[int, ...]
    """The places of the runs, in order."""


def settings(runs: Sequence[Parameters]) -> list[Settings]:
    """Return for each run what it has at the paths at which the runs differ."""
    rows = [
        (path, values, numbers)
        for path, values in joined(runs)
        if len(set(numbers := _numbers(values))) > 1
    ]
    texts = path_texts([path for path, _, _ in rows])
    return [
        {
            text: Setting(numbers[place], _said(values[place]))
            for text, (_, values, numbers) in zip(texts, rows, strict=True)
        }
        for place in range(len(runs))
    ]


def _numbers(values: Sequence[FactValue | None]) -> list[int]:
    """Return for each value the place of the first that is the same."""
    return [
        next(index for index, other in enumerate(values) if _is_same(value, other))
        for value in values
    ]


def _is_same(one: FactValue | None, other: FactValue | None) -> bool:
    return other is None if one is None else other is not None and one.is_same(other) is True


def differing(runs: Sequence[Settings]) -> list[str]:
    """Return the paths at which some of the runs differ."""
    paths = dict.fromkeys(path for run in runs for path in run)
    return [path for path in paths if len({run[path].number for run in runs}) > 1]


def repeats(runs: Sequence[Settings], has_any: Sequence[bool] = ()) -> tuple[Repeats, ...]:
    """Return runs put together whose parameters are equal but for one, in order of first members.

    It is the same parameter for all of them: the one that is named as a seed is, else the one that
    leaves the fewest groups. Runs that differ in nothing belong together as well, and a run that no
    other one repeats is alone.

    Args:
        runs: What each run has where runs differ.
        has_any: Whether each has any parameter: of one without nobody knows what it repeats.
    """
    paths = differing(runs)
    alone = [bool(has_any) and not has for has in has_any or [True] * len(runs)]
    tried = [(path, _grouped(runs, paths, path, alone)) for path in ("", *paths)]
    path, groups = min(tried, key=lambda pair: (not _is_seed(pair), len(pair[1]), pair[0]))
    return tuple(
        Repeats(path if path and len({runs[place][path] for place in group}) > 1 else "", group)
        for group in groups
    )


def _grouped(
    runs: Sequence[Settings], paths: Sequence[str], but: str, alone: Sequence[bool]
) -> list[tuple[int, ...]]:
    groups: dict[Hashable, list[int]] = {}
    for place, run in enumerate(runs):
        rest = tuple(run[path].number for path in paths if path != but)
        groups.setdefault(("alone", place) if alone[place] else rest, []).append(place)
    return [tuple(group) for group in groups.values()]


def _is_seed(tried: tuple[str, Sequence[tuple[int, ...]]]) -> bool:
    """Say whether a parameter is a seed by its name, and some runs differ in it alone."""
    path, groups = tried
    return _SEED.search(path) is not None and any(len(group) > 1 for group in groups)


def labels(runs: Sequence[Settings], but: str = "") -> list[str]:
    """Return for each run the parameters in which it differs from the others, as `lr=0.001`.

    They are as stored and not safe to show. Empty for all of them if none differs.

    Args:
        runs: What each run has where runs differ.
        but: A path to leave out.
    """
    paths = [path for path in differing(runs) if path != but]
    short = _short(paths)
    return ["  ".join(f"{short[path]}={run[path].text}" for path in paths) for run in runs]


def _short(paths: Sequence[str]) -> dict[str, str]:
    """Return the last part of each path where that names no other of them."""
    ends = [path.rpartition(".")[2] for path in paths]
    return {
        path: end if ends.count(end) == 1 else path for path, end in zip(paths, ends, strict=True)
    }


def _said(fact: FactValue | None) -> str:
    if fact is None:
        return MISSING
    value: JsonValue = fact.value
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float) and 0 < abs(value) < SMALL:
        return f"{Decimal(repr(value)).normalize():e}"
    if isinstance(value, (dict, list)):
        return "{…}" if isinstance(value, dict) else "[…]"
    return str(value)[:MAX_TEXT]
