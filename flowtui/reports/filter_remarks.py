"""What printed lists of any kind say of a filter, and how they take the name of a column."""

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
) -> str:
    """Return the column or the field of the filter language that a list is to be sorted by.

    A key is returned without its quotes; every other field by one name, whatever it was called.

    Args:
        name: as it was typed.
        fields: of the list.
        columns: what it can be sorted by beside them, for the message.
        called: by the name of a field, the one of `columns` that it is.
        remarks: says which keys of a condition no record has.

    Raises:
        WrongUsage: there is no such field, or no record has it.
    """
    from flowtui.store.filters import asked_key, field_name

    wanted = field_name(name)
    try:
        condition = asked_key(wanted, fields)
    except FilterError as error:
        raise WrongUsage(f"--sort {name!r}: {error}") from error
    missing = () if condition is None else remarks(condition)
    if missing:
        raise WrongUsage(f"--sort {name!r} is none of {', '.join(columns)}, and {missing[0]}")
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
