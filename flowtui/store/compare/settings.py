"""What runs were set to, as far as they differ: short labels for them, and runs that are repeats.

Nested values are compared by path: `sched.warmup` and not the whole of `sched`. 1 and 1.0 are
equal, 1 and "1" and true are not, and a parameter that is missing differs from one that is null.
"""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from flowtui.store.values import JsonValue, Param

MAX_DEPTH = 20
"""Values that are nested deeper are compared as a whole."""
MISSING = "absent"
SMALL = 0.01
"""Numbers nearer to zero are written with a power of ten, as people write a rate: 3e-4."""
MAX_TEXT = 60
_SEED = re.compile(r"(?:^|[._\-/ ])(?:seed|random_state|rng)(?:$|[._\-/ ])", re.IGNORECASE)

Settings = Mapping[str, Hashable]
"""By path a value that is equal where two values are the same, and else differs."""


class Repeats(NamedTuple):
    """Runs whose parameters are equal, but for one."""

    path: str
    """The parameter in which they differ; empty if they differ in none, or it is one run."""
    members: tuple[int, ...]
    """The places of the runs, in order."""


def settings(params: Iterable[Param]) -> dict[str, Hashable]:
    """Return the parameters of a run by path."""
    found: dict[str, Hashable] = {}
    for param in params:
        _flatten(param.key, param.value, found, 0)
    return found


def _flatten(path: str, value: JsonValue, found: dict[str, Hashable], depth: int) -> None:
    if isinstance(value, dict) and value and depth < MAX_DEPTH:
        for key, inner in value.items():
            _flatten(f"{path}.{key}", inner, found, depth + 1)
    elif isinstance(value, list) and value and depth < MAX_DEPTH:
        for index, inner in enumerate(value):
            _flatten(f"{path}.{index}", inner, found, depth + 1)
    else:
        found[path] = comparable(value)


def comparable(value: JsonValue) -> Hashable:
    """Return what is equal for values that are the same, whatever their depth."""
    if isinstance(value, bool):
        return "bool", value
    if isinstance(value, (int, float)):
        # NaN is not equal to itself, but two runs that were given NaN were given the same.
        return "number", "nan" if math.isnan(value) else value
    if isinstance(value, dict):
        pairs = ((key, comparable(inner)) for key, inner in value.items())
        return "dict", tuple(sorted(pairs, key=lambda pair: pair[0]))
    if isinstance(value, list):
        return "list", tuple(map(comparable, value))
    return "null" if value is None else "text", value


def differing(runs: Sequence[Settings]) -> list[str]:
    """Return the paths at which runs differ, in order of names."""
    paths = dict.fromkeys(path for run in runs for path in run)
    return sorted(path for path in paths if len({_at(run, path) for run in runs}) > 1)


def _at(run: Settings, path: str) -> Hashable:
    return run.get(path, MISSING)


def repeats(runs: Sequence[Settings]) -> tuple[Repeats, ...]:
    """Return runs put together whose parameters are equal but for one, in order of first members.

    It is the same parameter for all of them: the one that is named as a seed is, else the one that
    leaves the fewest groups. Runs that differ in nothing belong together as well, and a run that no
    other one repeats is alone.
    """
    paths = differing(runs)
    tried = [(path, _grouped(runs, paths, path)) for path in ("", *paths)]
    path, groups = min(tried, key=lambda pair: (not _is_seed(pair), len(pair[1]), pair[0]))
    return tuple(
        Repeats(path if len({_at(runs[place], path) for place in group}) > 1 else "", group)
        for group in groups
    )


def _grouped(runs: Sequence[Settings], paths: Sequence[str], but: str) -> list[tuple[int, ...]]:
    groups: dict[Hashable, list[int]] = {}
    for place, run in enumerate(runs):
        rest = tuple(_at(run, path) for path in paths if path != but)
        groups.setdefault(rest, []).append(place)
    return [tuple(group) for group in groups.values()]


def _is_seed(tried: tuple[str, Sequence[tuple[int, ...]]]) -> bool:
    """Say whether a parameter is a seed by its name, and some runs differ in it alone."""
    path, groups = tried
    return _SEED.search(path) is not None and any(len(group) > 1 for group in groups)


def labels(runs: Sequence[Settings], but: str = "") -> list[str]:
    """Return for each run the parameters in which it differs from the others, as `lr=0.001`.

    They are as stored and not safe to show. Empty for all of them if none differs.

    Args:
        runs: The parameters of each run.
        but: A path to leave out.
    """
    paths = [path for path in differing(runs) if path != but]
    short = _short(paths)
    return ["  ".join(f"{short[path]}={_said(_at(run, path))}" for path in paths) for run in runs]


def _short(paths: Sequence[str]) -> dict[str, str]:
    """Return the last part of each path where that names no other of them."""
    ends = [path.rpartition(".")[2] for path in paths]
    return {
        path: end if ends.count(end) == 1 else path for path, end in zip(paths, ends, strict=True)
    }


def _said(value: Hashable) -> str:
    if value == MISSING or not isinstance(value, tuple):
        return MISSING
    kind, inner = value
    if kind == "null":
        return "null"
    if kind == "bool":
        return "true" if inner else "false"
    if kind == "number":
        return _number(inner)
    return str(inner)[:MAX_TEXT] if kind == "text" else "{}" if kind == "dict" else "[]"


def _number(number: int | float | str) -> str:
    if isinstance(number, float) and 0 < abs(number) < SMALL:
        return f"{Decimal(repr(number)).normalize():e}"
    return str(number)
