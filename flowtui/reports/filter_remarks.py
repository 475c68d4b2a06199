"""What printed lists of any kind say about a filter, and the column that they are sorted by."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from flowtui.format import plain
from flowtui.reports.usage import WrongUsage
from flowtui.store.errors import FilterError
from flowtui.store.values import JsonValue

if TYPE_CHECKING:
    from flowtui.store.filters import Condition, FieldSet


def sorted_field(
    name: str,
    fields: FieldSet,
    columns: Iterable[str],
    called: Mapping[str, str],
    remarks: Callable[[Condition], Sequence[str]],
    option: str = "--sort",
) -> str:
    """Return the column or the field of the filter language that a list is to be sorted by.

    A key is returned without its quotes; every other field by one name, whatever it was called.

    Args:
        name: The name as it was typed.
        fields: The fields of the list.
        columns: What the list can be sorted by besides, for the message.
        called: Columns by the field that is the same.
        remarks: Returns which keys of a condition no record has.
        option: The option with which it was typed, for the message.

    Raises:
        WrongUsage: There is no such field, or no record has it.
    """
    from flowtui.store.filters import asked_key, field_name

    wanted = field_name(name)
    try:
        condition = asked_key(wanted, fields)
    except FilterError as error:
        raise WrongUsage(f"{option} {name!r}: {error}") from error
    missing = () if condition is None else remarks(condition)
    if missing:
        raise WrongUsage(f"{option} {name!r} is not one of {', '.join(columns)}, and {missing[0]}")
    first = fields.resolve(wanted)[0]
    return wanted if first.what else called.get(first.name, first.name)


def tell(remarks: Iterable[str]) -> None:
    """Print remarks about a filter on stderr: what is printed on stdout is its answer."""
    for remark in remarks:
        print(f"flow-tui: {plain(remark, 2_000)}", file=sys.stderr)


def under(value: object, key: str) -> JsonValue:
    """Return what is under a key of a JSON object, or else at the path that its dots spell."""
    if isinstance(value, Mapping) and key in value:
        found: JsonValue = value[key]
        return found
    head, dot, rest = key.partition(".")
    return (
        under(value[head], rest) if dot and isinstance(value, Mapping) and head in value else None
    )
