"""The parameters of compared runs: each read whole, and joined by paths (exp.db: static_params)."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence

from flowtui.store import params as logged_params
from flowtui.store.bounded_json import MAX_LEVELS
from flowtui.store.compare.fact_values import FactValue
from flowtui.store.compare.paths import Path, Root
from flowtui.store.decoding import text
from flowtui.store.natural import sort_key
from flowtui.store.values import JsonValue, Param

MAX_LEAVES = 2_000
"""A parameter that holds more values than these is one row: nobody reads so many."""
_ODD_ROWS = """
select key, typeof(key) = 'text', cast(value as blob) from static_params
where typeof(key) <> 'text' or length(cast(value as blob)) > :limit"""

_Digest = tuple[int, bytes]
Parameters = Mapping[Root, FactValue]


def whole_params(connection: sqlite3.Connection) -> Parameters:
    """Return all parameters by key, in order, each with all that it is compared by.

    Of a value that is too long to be kept, that is the digest of all its bytes.
    """
    params = logged_params.params(connection)
    if params is None:
        return {}
    rows = connection.execute(_ODD_ROWS, {"limit": logged_params.MAX_VALUE_BYTES})
    digests = {
        (text(key), bool(is_text)): (len(value or b""), hashlib.sha256(value or b"").digest())
        for key, is_text, value in rows
    }
    found: dict[Root, FactValue] = {}
    for param in params:
        is_text = param.problem != logged_params.NOT_TEXT
        root: Root = param.key if is_text else _as_bytes(param.key)
        while root in found:
            # Only a table without the SDK's primary key has a key twice.
            root = (root if isinstance(root, bytes) else _as_bytes(root)) + b" again"
        found[root] = _value(param, digests.get((param.key, is_text)))
    return found


def _as_bytes(key: str) -> bytes:
    return key.encode("utf-8", "surrogateescape")


def _value(param: Param, digest: _Digest | None) -> FactValue:
    if digest is not None:
        is_whole = digest[0] <= logged_params.MAX_VALUE_BYTES
        return FactValue(param.value, param.problem, (param.type, *digest), is_whole)
    if param.problem is not None:
        return FactValue(param.value, param.problem, (param.type, param.value))
    return FactValue(param.value)


def joined(runs: Sequence[Parameters]) -> Iterator[tuple[Path, tuple[FactValue | None, ...]]]:
    """Yield what runs have under each path, None for those that have nothing there.

    Objects are compared name by name, and lists index by index, as far as all runs that have
    something there have one with something in it. All else is compared as it is, and what only
    some runs have, all of them the same, is not taken apart.
    """
    roots = {root: None for run in runs for root in run}
    for root in sorted(roots, key=_root_order):
        values = tuple(run.get(root) for run in runs)
        if all(value is None or _is_short(value.value) for value in values):
            yield from _inside((root,), values)
        else:
            yield (root,), values


def _root_order(root: Root) -> tuple[object, ...]:
    if isinstance(root, bytes):
        return (*sort_key(root.decode("utf-8", "surrogateescape")), True)
    return (*sort_key(root), False)


def _inside(
    path: Path, values: tuple[FactValue | None, ...]
) -> Iterator[tuple[Path, tuple[FactValue | None, ...]]]:
    steps = _steps(values) if len(path) <= MAX_LEVELS else None
    if steps is None:
        yield path, values
        return
    for step in steps:
        yield from _inside((*path, step), tuple(_item(value, step) for value in values))


def _steps(values: Sequence[FactValue | None]) -> list[str] | range | None:
    """Return the names or indexes under which values are compared; None if as a whole."""
    present = [value for value in values if value is not None]
    if len(present) < len(values) and all(present[0].is_same(other) for other in present):
        return None
    inner = [value.value for value in present if value.stored is None]
    if len(inner) < len(present) or not all(inner):
        return None
    objects = [value for value in inner if isinstance(value, dict)]
    if len(objects) == len(inner):
        return list({name: None for value in objects for name in value})
    lists = [value for value in inner if isinstance(value, list)]
    return range(max(map(len, lists))) if len(lists) == len(inner) else None


def _item(value: FactValue | None, step: str | int) -> FactValue | None:
    container = None if value is None else value.value
    if isinstance(container, dict) and isinstance(step, str):
        return FactValue(container[step]) if step in container else None
    if isinstance(container, list) and isinstance(step, int):
        return FactValue(container[step]) if step < len(container) else None
    return None


def _is_short(value: JsonValue) -> bool:
    """Say whether a value holds no more values than can be rows of their own."""
    left = [value]
    count = 0
    while left and count <= MAX_LEAVES:
        node = left.pop()
        count += 1
        if isinstance(node, (list, dict)):
            if len(node) > MAX_LEAVES:
                return False
            left += node.values() if isinstance(node, dict) else node
    return count <= MAX_LEAVES
