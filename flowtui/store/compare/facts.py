"""The table of facts: a row a parameter, metric, fact or model, a value a run, and what differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from flowtui.store.compare.directions import Direction, direction
from flowtui.store.compare.fact_reading import ABOUT, Answer, FactAnswers
from flowtui.store.compare.fact_values import (
    Delta,
    FactCell,
    FactValue,
    MetricFigures,
    Missing,
    delta,
)
from flowtui.store.compare.files import ComparedFile, ComparedFiles, code_files
from flowtui.store.compare.parameters import joined
from flowtui.store.compare.paths import Path, Root, path_texts
from flowtui.store.compare.run_set import LETTERS
from flowtui.store.errors import StoreError
from flowtui.store.natural import sort_key

K = TypeVar("K")
T = TypeVar("T")


class FactKind(StrEnum):
    """The sections of the table, in order."""

    PARAMETERS = "Parameters"
    METRICS = "Metrics"
    ABOUT = "Run"
    FILES = "Code and configuration"
    MODELS = "Models"


class Sameness(StrEnum):
    """Whether the runs have the same in a row, as far as they could be read."""

    DIFFERS = "differ"
    """Two of the runs that have it have something else."""
    ONLY_IN_SOME = "only in"
    """Some runs have it, all of them the same, and some do not."""
    EQUAL = "equal"
    NOT_COMPARED = "not compared"
    """Fewer than two runs could be read, or not all of it is known, as of two models' contents."""


@dataclass(frozen=True, slots=True)
class FactRow:
    """What the runs have of one thing."""

    kind: FactKind
    path: Path
    name: str
    """The path as text, which no other row of its section has."""
    cells: tuple[FactCell, ...]
    """A cell a run."""
    sameness: Sameness
    direction: Direction | None = None
    """Of a metric, as far as that is known."""

    @property
    def letters(self) -> str:
        """The letters of the runs that have it."""
        return self._letters(lambda cell: not isinstance(cell, Missing))

    @property
    def lacking(self) -> str:
        """The letters of the runs that were read and do not have it."""
        return self._letters(lambda cell: cell is Missing.ABSENT)

    def _letters(self, wanted: Callable[[FactCell], bool]) -> str:
        named = zip(LETTERS, self.cells, strict=False)
        return "".join(letter for letter, cell in named if wanted(cell))

    def last_delta(self, index: int) -> Delta | None:
        """Return how the last value of a run stands to the baseline's; None if not a metric."""
        pair = self._pair(index)
        if not any(pair):
            return None
        last = [None if figures is None else figures.last for figures in pair]
        return delta(last[0], last[1], self.direction)

    def best_delta(self, index: int) -> Delta | None:
        """Return how the best value of a run stands to the baseline's; None without such values."""
        one, other = (
            None if figures is None else figures.best(self.direction)
            for figures in self._pair(index)
        )
        return delta(one, other, self.direction) if one and other else None

    def _pair(self, index: int) -> list[MetricFigures | None]:
        """Return the figures of the baseline and of a run, as far as they have any."""
        return [
            cell if isinstance(cell, MetricFigures) else None
            for cell in (self.cells[0], self.cells[index])
        ]


@dataclass(frozen=True, slots=True)
class FactCounts:
    """How many rows differ and how many do not."""

    differ: int
    equal: int
    only: Mapping[tuple[str, str], int]
    """By the letters of the runs that have them, and of those that do not: rows of only some."""
    not_compared: int

    @property
    def all(self) -> int:
        return self.differ + self.equal + sum(self.only.values()) + self.not_compared

    @property
    def unequal(self) -> int:
        """Rows that differ, or that only some of the runs have."""
        return self.differ + sum(self.only.values())


@dataclass(frozen=True, slots=True)
class FactTable:
    """All rows, in order of their sections."""

    rows: tuple[FactRow, ...]
    problems: tuple[str, ...] = ()
    """A sentence for each run that could not be read, and why."""

    def row(self, kind: FactKind, path: Path) -> FactRow | None:
        """Return a row; None if no run has it."""
        return next((row for row in self.rows if row.path == path and row.kind is kind), None)

    def counts(self, kind: FactKind | None = None) -> FactCounts:
        """Count the rows of a section, or all."""
        return counted(row for row in self.rows if kind is None or row.kind is kind)


def counted(rows: Iterable[FactRow]) -> FactCounts:
    """Count rows."""
    found: Counter[Sameness] = Counter()
    only: Counter[tuple[str, str]] = Counter()
    for row in rows:
        found[row.sameness] += 1
        if row.sameness is Sameness.ONLY_IN_SOME:
            only[row.letters, row.lacking] += 1
    by_letters = dict(sorted(only.items(), key=lambda item: (len(item[0][0]), item[0])))
    return FactCounts(
        found[Sameness.DIFFERS], found[Sameness.EQUAL], by_letters, found[Sameness.NOT_COMPARED]
    )


def fact_table(answers: FactAnswers, chosen: Mapping[str, str] | None = None) -> FactTable:
    """Return the table of what was read.

    Args:
        answers: What was read of each run, the baseline first.
        chosen: The directions of metrics that a person has chosen, as for `direction`.
    """
    rows = (
        *parameter_rows(answers.params),
        *metric_rows(answers.metrics, chosen),
        *about_rows(answers.about),
        *file_rows(answers.files),
        *model_rows(answers.models),
    )
    return FactTable(rows, problems(answers))


def parameter_rows(read: Sequence[Answer[Root, FactValue]]) -> tuple[FactRow, ...]:
    """Return the rows of parameters, in order of their keys."""
    known = [one for one in read if not (one is None or isinstance(one, StoreError))]
    found = list(joined(known))
    names = path_texts([path for path, _ in found])
    return tuple(
        _row(FactKind.PARAMETERS, path, name, _spread(read, values))
        for name, (path, values) in zip(names, found, strict=True)
    )


def metric_rows(
    read: Sequence[Answer[str, MetricFigures]], chosen: Mapping[str, str] | None = None
) -> tuple[FactRow, ...]:
    """Return the rows of metrics; first those with a direction, which tell most about a run."""
    known = {key: direction(key, chosen) for one in read for key in _or_empty(one)}
    keys = sorted(known, key=lambda key: (known[key] is None, sort_key(key)))
    return tuple(
        _row(FactKind.METRICS, (key,), key, _cells_of(read, key), known[key]) for key in keys
    )


def about_rows(read: Sequence[Answer[Root, FactValue]]) -> tuple[FactRow, ...]:
    """Return the rows of facts about the runs, in the order in which they are read."""
    known = {root for one in read for root in _or_empty(one)}
    return tuple(
        _row(FactKind.ABOUT, (name,), name, _cells_of(read, name))
        for name in ABOUT
        if name in known
    )


def paired(facts: FactTable, index: int) -> FactTable:
    """Return what a table would be with the baseline and one candidate alone.

    The other runs count as unread, and what neither of the two has is left out.
    """
    rows = []
    for row in facts.rows:
        cells = tuple(
            cell if at in (0, index) else Missing.UNREAD for at, cell in enumerate(row.cells)
        )
        if any(not isinstance(cell, Missing) for cell in cells):
            alone = replace(row, cells=cells, sameness=sameness(cells))
            rows.append(alone)
    return replace(facts, rows=tuple(rows))


def with_durations(facts: FactTable, elapsed_s: Sequence[float | None]) -> FactTable:
    """Return a table with other durations of some runs; None leaves a run's as it is."""
    rows = list(facts.rows)
    for at, row in enumerate(rows):
        if row.kind is FactKind.ABOUT and row.path == ("duration",):
            cells = tuple(
                cell if seconds is None else FactValue(seconds)
                for cell, seconds in zip(row.cells, elapsed_s, strict=True)
            )
            rows[at] = replace(row, cells=cells, sameness=sameness(cells))
    return replace(facts, rows=tuple(rows))


def model_rows(read: Sequence[Answer[Root, FactValue]]) -> tuple[FactRow, ...]:
    """Return the rows of models by name, of which none counts as equal."""
    names = {str(root) for one in read for root in _or_empty(one)}
    rows = (
        _row(FactKind.MODELS, (name,), name, _cells_of(read, name))
        for name in sorted(names, key=sort_key)
    )
    return tuple(rows)


def file_rows(files: ComparedFiles | None) -> tuple[FactRow, ...]:
    """Return the rows of code and configuration that several runs attached under one path."""
    found = () if files is None else code_files(files)
    return tuple(
        _row(FactKind.FILES, (one.path,), one.path, tuple(_file_cells(one))) for one in found
    )


def _file_cells(one: ComparedFile) -> Iterator[FactValue | Missing]:
    for held, is_unread in zip(one.held, one.is_unread or (False,) * len(one.held), strict=True):
        if held is None:
            yield Missing.UNREAD if is_unread else Missing.ABSENT
            continue
        known = (held.digest,) if held.digest else None
        size = held.size_bytes
        yield FactValue(
            {"size_bytes": size},
            held.problem or None,
            stored=known,
            is_certain=bool(held.digest) or size == 0,
        )


def problems(answers: FactAnswers) -> tuple[str, ...]:
    """Return a sentence for each reason for which something of a run could not be read."""
    parts = zip(answers.about, answers.params, answers.metrics, answers.models, strict=True)
    return tuple(
        dict.fromkeys(
            f"{letter} cannot be read: {part}"
            for letter, of_run in zip(LETTERS, parts, strict=False)
            for part in of_run
            if isinstance(part, StoreError)
        )
    )


def _spread(
    read: Sequence[Answer[Root, FactValue]], values: Sequence[FactValue | None]
) -> tuple[FactValue | Missing, ...]:
    """Return cells of all runs from the values of those that could be read."""
    left = iter(values)
    return tuple(
        Missing.UNREAD
        if one is None or isinstance(one, StoreError)
        else next(left) or Missing.ABSENT
        for one in read
    )


def _or_empty(answer: Answer[K, T]) -> Mapping[K, T]:
    return {} if answer is None or isinstance(answer, StoreError) else answer


def _cells_of(read: Sequence[Answer[K, T]], key: K) -> tuple[T | Missing, ...]:
    """Return what the runs have under a key, with the reason where one has nothing."""
    return tuple(
        Missing.UNREAD
        if one is None or isinstance(one, StoreError)
        else one.get(key, Missing.ABSENT)
        for one in read
    )


def _row(
    kind: FactKind,
    path: Path,
    name: str,
    cells: tuple[FactCell, ...],
    of_metric: Direction | None = None,
) -> FactRow:
    return FactRow(kind, path, name, cells, sameness(cells), of_metric)


def sameness(cells: Sequence[FactCell]) -> Sameness:
    """Say whether the runs that could be read have the same."""
    read = [cell for cell in cells if cell is not Missing.UNREAD]
    present = [cell for cell in read if not isinstance(cell, Missing)]
    if len(read) < 2:
        return Sameness.NOT_COMPARED
    are_same = [_is_same(present[0], other) for other in present[1:]]
    if False in are_same:
        return Sameness.DIFFERS
    if None in are_same:
        return Sameness.NOT_COMPARED
    return Sameness.EQUAL if len(present) == len(read) else Sameness.ONLY_IN_SOME


def _is_same(one: FactValue | MetricFigures, other: FactValue | MetricFigures) -> bool | None:
    if isinstance(one, MetricFigures) and isinstance(other, MetricFigures):
        return one.is_same(other)
    if isinstance(one, FactValue) and isinstance(other, FactValue):
        return one.is_same(other)
    return False
