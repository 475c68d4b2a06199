"""The rows of the table of facts as short texts, the same on a screen, in a pipe and in a file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from rich.cells import cell_len, set_cell_size

from flowtui import format as fmt
from flowtui.reports.escaped import csv_text, json_line
from flowtui.store.compare.fact_values import (
    Change,
    Delta,
    FactCell,
    FactValue,
    MetricFigures,
    Missing,
)
from flowtui.store.compare.facts import FactCounts, FactKind, FactRow, FactTable, Sameness
from flowtui.store.compare.run_set import LETTERS
from flowtui.store.natural import number
from flowtui.store.values import JsonValue, Point
from flowtui.told_apart import told_apart

CELL_CHARS = 300
"""How much of a value is read for a line."""
ABSENT, UNREAD, NO_NUMBER = "absent", "unread", "none"
MOST_LETTER_SETS = 3
_STATES = {"stopped": f"{fmt.STOPPED_GLYPH} stopped", "quiet": f"{fmt.QUIET_GLYPH} quiet"}
_WORDS = frozenset((ABSENT, UNREAD, NO_NUMBER, "true", "false", "null", "nan"))

Figure: TypeAlias = float | Missing | None
"""A value of a metric; None where none of its points has such a value."""


@dataclass(frozen=True, slots=True)
class FigureLine:
    """One figure of a metric in all runs."""

    what: str
    """last, best, min or max."""
    values: tuple[Figure, ...]
    deltas: tuple[Delta | None, ...] = ()
    """How each run stands to the baseline, None where that is not compared; may be empty."""


def figure_lines(row: FactRow) -> tuple[FigureLine, ...]:
    """Return the figures of a metric: the last, and the best or, without a direction, its ends."""
    runs = range(len(row.cells))
    lines = [FigureLine("last", _figures(row, "last"), tuple(map(row.last_delta, runs)))]
    if row.direction is not None:
        lines.append(FigureLine("best", _figures(row, "best"), tuple(map(row.best_delta, runs))))
    else:
        lines += [FigureLine(what, _figures(row, what)) for what in ("min", "max")]
    return tuple(lines)


def _figures(row: FactRow, what: str) -> tuple[Figure, ...]:
    def of(cell: FactCell) -> Figure:
        if isinstance(cell, MetricFigures):
            point = point_of(row, cell, what)
            return None if point is None else point.value
        return cell if isinstance(cell, Missing) else None

    return tuple(map(of, row.cells))


def point_of(row: FactRow, figures: MetricFigures, what: str) -> Point | None:
    """Return the last, best, lowest or highest point of a run's metric."""
    if what == "last":
        return figures.last
    if what == "best":
        return figures.best(row.direction)
    if figures.summary is None:
        return None
    return figures.summary.minimum if what == "min" else figures.summary.maximum


def figure_texts(line: FigureLine, cells: int | None = None) -> list[str]:
    """Return the values of a line; those that differ read differently, as far as there is room."""
    numbers = [value for value in line.values if isinstance(value, float)]
    texts = iter(fmt.distinct(numbers, cells=cells))
    return [_missing(value) or next(texts) for value in line.values]


def _missing(value: Figure) -> str:
    if isinstance(value, Missing):
        return missing_text(value)
    return NO_NUMBER if value is None else ""


def missing_text(missing: Missing) -> str:
    """Return the word for a value that a run does not have, or that is not known."""
    return ABSENT if missing is Missing.ABSENT else UNREAD


def value_texts(row: FactRow) -> list[str]:
    """Return what the runs have in a row that is no metric: a line each, not cut to cells."""
    if row.kind is FactKind.ABOUT and row.name == "duration":
        return _durations(row.cells)
    if row.kind in (FactKind.FILES, FactKind.MODELS):
        ways = (lambda size: fmt.size(int(size)), "{:,.0f} B".format)
        sizes = _read_apart(row.cells, _size_of, ways)
        pairs = zip(sizes, row.cells, strict=True)
        return ["  ".join(part for part in (size, *_tags_of(cell)) if part) for size, cell in pairs]
    return [_value_text(row, cell) for cell in row.cells]


def whole_text(cell: FactCell) -> str:
    """Return a value in full, to be copied or searched; it is not safe to show."""
    if isinstance(cell, Missing):
        return missing_text(cell)
    if isinstance(cell, MetricFigures):
        return NO_NUMBER if cell.last is None else fmt.exact(cell.last.value)
    if isinstance(cell.value, str):
        return cell.value
    return json.dumps(cell.value, ensure_ascii=False)


def _value_text(row: FactRow, cell: FactCell) -> str:
    if not isinstance(cell, FactValue):
        return missing_text(cell) if isinstance(cell, Missing) else ""
    if row.kind is FactKind.ABOUT:
        return _about_text(row.name, cell.value)
    mark = "▲ " if cell.problem else ""
    return f"{mark}{json_value_text(cell.value)}"


def json_value_text(value: JsonValue) -> str:
    """Return a value as a person reads it; a text that reads as something else has quotes."""
    if not isinstance(value, str):
        return fmt.json_text(value, CELL_CHARS)
    if reads_otherwise(value):
        return fmt.plain(json.dumps(value[:CELL_CHARS], ensure_ascii=False), CELL_CHARS)
    return fmt.plain(value, CELL_CHARS)


def reads_otherwise(text: str) -> bool:
    """Say whether a text without quotes reads as nothing, or as a value of another type."""
    is_other = text.lower() in _WORDS or number(text) is not None or text != text.strip()
    return not text or is_other or text[0] in '"[{'


def csv_value_text(value: JsonValue) -> str:
    """Return a value as a cell of CSV; like JSON, but texts that read as texts have no quotes."""
    if isinstance(value, str):
        return csv_text(json_line(value) if reads_otherwise(value) else value)
    text = json_line(value)
    # NaN and infinities are JSON strings here, and lose their quotes.
    return text.strip('"') if isinstance(value, float) else text


def _about_text(name: str, value: JsonValue) -> str:
    if name == "status":
        return _STATES.get(str(value)) or fmt.status(str(value))
    if isinstance(value, list):
        return "  ".join(fmt.plain(str(tag), CELL_CHARS) for tag in value)
    return fmt.plain(str(value), CELL_CHARS)


def _durations(cells: Sequence[FactCell]) -> list[str]:
    ways = (fmt.duration, "{:,.0f} s".format, "{:,.3f} s".format)
    return _read_apart(cells, lambda value: value if isinstance(value, float) else None, ways)


def _read_apart(
    cells: Sequence[FactCell],
    number_of: Callable[[JsonValue], float | None],
    ways: Sequence[Callable[[float], str]],
) -> list[str]:
    """Return numbers as text in the first of several ways in which different ones differ."""
    values = [number_of(cell.value) if isinstance(cell, FactValue) else None for cell in cells]
    known: dict[float, str] = {}
    for way in ways:
        known = {value: way(value) for value in values if value is not None}
        if len(set(known.values())) == len(known):
            break
    return [
        known[value]
        if value is not None
        else missing_text(cell)
        if isinstance(cell, Missing)
        else ""
        for value, cell in zip(values, cells, strict=True)
    ]


def _size_of(model: JsonValue) -> int | None:
    size = model.get("size_bytes") if isinstance(model, dict) else None
    return size if isinstance(size, int) else None


def _tags_of(cell: FactCell) -> list[str]:
    model = cell.value if isinstance(cell, FactValue) else None
    tags = model.get("tags") if isinstance(model, dict) else None
    return [fmt.plain(str(tag), CELL_CHARS) for tag in (tags if isinstance(tags, list) else ())]


def cut_apart(texts: Sequence[str], rooms: Sequence[int]) -> list[str]:
    """Return texts that fit into these cells, of which different ones never read alike."""
    cut = [
        text if cell_len(text) <= room else f"{set_cell_size(text, room - 1).rstrip()}…"
        for text, room in zip(texts, rooms, strict=True)
    ]
    return cut if len(set(cut)) == len(set(texts)) else told_apart(texts, rooms)


def number_text(change: Delta, digits: int = 4, cells: int | None = None) -> str:
    """Return by how much a number differs: with an arrow where that is better or worse."""
    if change.value is None or change.change is Change.SAME:
        return ""
    if change.change is Change.CHANGED:
        sign = "+" if change.value > 0 else ""
        return f"{sign}{fmt.number(change.value, digits, cells=cells)}"
    mark = "▲" if change.value > 0 else "▼"
    return f"{mark} {fmt.number(abs(change.value), digits, cells=cells)}"


def delta_text(change: Delta | None, cells: int | None = None) -> str:
    """Return how a number stands to the baseline's: `▲ 0.169 worse`, `+0.1 changed`, `same`.

    In a cell of so many `cells`, 16 or more, the number has as many digits as leave room for the
    word.
    """
    if change is None or change.change is Change.INCOMPARABLE:
        return ""
    word = change.change.value
    numbers = [number_text(change, digits) for digits in (4, 3, 2)]
    if cells is None:
        return f"{numbers[0]} {word}".lstrip()
    room = cells - len(word) - 1
    # A sign or an arrow takes none, one or two of the cells.
    numbers += [number_text(change, 2, room - sign) for sign in range(3)]
    fitting = next((one for one in numbers if len(one) <= room), numbers[-1])
    return f"{fitting} {word}".lstrip()


def pair_words(row: FactRow, index: int) -> str:
    """Return how what a run has in a row stands to the baseline's, where both were read."""
    one, other = row.cells[0], row.cells[index]
    if Missing.UNREAD in (one, other) or one is other is Missing.ABSENT:
        return ""
    if isinstance(one, Missing):
        return f"only in {LETTERS[index]}"
    if isinstance(other, Missing):
        return f"only in {LETTERS[0]}"
    if isinstance(one, MetricFigures) or isinstance(other, MetricFigures):
        return delta_text(row.last_delta(index)) or str(Change.INCOMPARABLE)
    return {True: "same", False: "changed", None: "not compared"}[one.is_same(other)]


def only_words(having: str, lacking: str) -> str:
    """Return which runs have something that others do not: `only in B`, `not in A and C`."""
    is_short = len(having) <= len(lacking)
    letters = having if is_short else lacking
    first, last = letters[:-1], letters[-1]
    said = f"{', '.join(first)} and {last}" if first else last
    return f"{'only in' if is_short else 'not in'} {said}"


def sameness_words(row: FactRow) -> str:
    """Return whether the runs have the same in a row: `differ`, `equal`, `only in B`."""
    if row.sameness is Sameness.ONLY_IN_SOME:
        return only_words(row.letters, row.lacking)
    return str(row.sameness)


def count_words(counts: FactCounts) -> list[str]:
    """Return how many rows differ and how many do not: `4 differ`, `24 equal`, `3 only in B`."""
    sets = [(number_of, only_words(*key)) for key, number_of in counts.only.items()]
    rest = sum(number_of for number_of, _ in sets[MOST_LETTER_SETS:])
    return fmt.counted(
        (
            (counts.differ, "differ"),
            (counts.equal, "equal"),
            *sets[:MOST_LETTER_SETS],
            (rest, "only in some"),
            (counts.not_compared, "not compared"),
        )
    )


def seen_rows(facts: FactTable, shows_all: bool) -> list[FactRow]:
    """Return all rows, or those that are not equal: in each section, first those that differ."""
    if shows_all:
        return list(facts.rows)
    sections = by_kind(row for row in facts.rows if row.sameness is not Sameness.EQUAL).values()
    return [
        row
        for rows in sections
        for row in sorted(rows, key=lambda row: row.sameness is not Sameness.DIFFERS)
    ]


def by_kind(rows: Iterable[FactRow]) -> dict[FactKind, list[FactRow]]:
    """Return rows by their sections, in order; sections without rows are left out."""
    found: dict[FactKind, list[FactRow]] = {}
    for row in rows:
        found.setdefault(row.kind, []).append(row)
    return {kind: found[kind] for kind in FactKind if kind in found}
