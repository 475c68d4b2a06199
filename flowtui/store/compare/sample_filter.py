"""Filters over joined samples: the language of the list of samples, with runs by their letters.

`B.scores.correct < A.scores.correct and A.metadata.topic = "refund"`. A name with the letter of a
run is asked of that run. A name or a text without one is asked of each run, and holds if it holds
in any of them; two such names in one comparison are of the same run. A run that lacks the sample
has no values: nothing holds there but `IS NULL` of its letter, and NOT is the opposite, as in
every filter.

Each run is asked by itself. Only where values of two runs are compared do they meet, in a database
of their own that SQLite keeps in memory, or in a file of its own that nobody else sees.
"""

from __future__ import annotations

import re
import sqlite3
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from typing import TypeAlias, cast

from flowtui.store.compare.joined_samples import JoinedSamples
from flowtui.store.compare.run_set import ComparedRun, RunSet
from flowtui.store.database import table_columns
from flowtui.store.errors import FilterError
from flowtui.store.filters import SAMPLE_FIELDS, Condition, asked_key, register_functions
from flowtui.store.filters.compiler import values_sql
from flowtui.store.filters.parser import parse
from flowtui.store.filters.predicates import pair_test
from flowtui.store.filters.samples import condition_of_samples
from flowtui.store.filters.syntax import (
    And,
    Comparison,
    Expression,
    Leaf,
    Name,
    Not,
    NullTest,
    Operand,
    Or,
    Search,
    Word,
)
from flowtui.store.samples import listing as sample_rows
from flowtui.store.samples.relation import register_functions as register_those_of_samples
from flowtui.store.samples.relation import relation

_LETTER = re.compile(r"([A-H])\.(?=.)", re.DOTALL)
Tree: TypeAlias = "int | tuple[str, tuple[Tree, ...]]"
"""A test by its number, or `and`, `or`, `not` with what it joins."""


@dataclass(frozen=True, slots=True)
class RunTest:
    """A condition over the samples of one run."""

    letter: str
    condition: Condition
    is_bare: bool
    """Whether it has no letter, so that every run is asked the same."""


@dataclass(frozen=True, slots=True)
class RunValues:
    """The values of a name in each sample of one run."""

    letter: str
    select: str
    params: Mapping[str, object]
    asked: Condition | None
    """Tests whether a sample has what the name stands for; None if all have it."""


@dataclass(frozen=True, slots=True)
class PairTest:
    """A comparison of the values of one run with those of another."""

    left: RunValues
    right: RunValues
    sql: str
    """Over `item.value` and `other.value`."""


@dataclass(frozen=True, slots=True)
class ComparedCondition:
    """A filter over joined samples."""

    tree: Tree
    tests: tuple[RunTest | PairTest, ...]

    @property
    def asks_annotations(self) -> bool:
        """Whether other annotations may make it hold of other samples."""
        return any(
            test.condition.asks_annotations
            if isinstance(test, RunTest)
            else "annotation" in test.left.select + test.right.select
            for test in self.tests
        )


def compared_condition(text: str, letters: Sequence[str]) -> ComparedCondition | None:
    """Return the condition of a filter over joined samples, None for a blank one.

    Args:
        text: The filter.
        letters: The letters of the runs, the baseline's first.

    Raises:
        FilterError: The filter is not understood; the error says what was expected, and where.
    """
    expression = parse(text)
    if expression is None:
        return None
    compiler = _LetterCompiler(letters)
    tree = compiler.tree(expression)
    return ComparedCondition(tree, tuple(compiler.tests))


class _LetterCompiler:
    def __init__(self, letters: Sequence[str]) -> None:
        self._letters = letters
        self.tests: list[RunTest | PairTest] = []

    def tree(self, expression: Expression) -> Tree:
        match expression:
            case Not(operand):
                return "not", (self.tree(operand),)
            case And(operands):
                return "and", tuple(map(self.tree, operands))
            case Or(operands):
                return "or", tuple(map(self.tree, operands))
            case Search(text, position, quoted):
                letter, rest = (None, text) if quoted else self._split(text, position)
                return self._in_runs(letter, replace(expression, text=rest))
            case Comparison(operand=operand) if self._is_name(operand):
                return self._pairs(expression, operand)
            case _:
                letter, name = self._named(expression.field)
                leaf = cast("Leaf", replace(expression, field=name))
                if isinstance(leaf, NullTest) and not leaf.negated and letter is not None:
                    # A run that lacks the sample has no value either.
                    return "not", (self._in_runs(letter, replace(leaf, negated=True)),)
                return self._in_runs(letter, leaf)

    def _is_name(self, operand: Operand) -> bool:
        if isinstance(operand, Word):
            return bool(_LETTER.match(operand.text)) or SAMPLE_FIELDS.knows(operand.text)
        return isinstance(operand, Name)

    def _pairs(self, leaf: Comparison, operand: Operand) -> Tree:
        letter, name = self._named(leaf.field)
        other_letter, other = self._named(Name(operand.text, operand.position))
        if letter is None and other_letter is None:
            return self._in_runs(None, replace(leaf, field=name, operand=other))
        found: list[Tree] = []
        for one in self._letters if letter is None else (letter,):
            for two in self._letters if other_letter is None else (other_letter,):
                if one == two:
                    found.append(self._in_runs(one, replace(leaf, field=name, operand=other)))
                else:
                    sides = self._values(one, name), self._values(two, other)
                    sql = pair_test(leaf, operand.position)
                    test = PairTest(*sides, sql.format(e="item.value", v="other.value"))
                    found.append(self._added(test))
        return found[0] if len(found) == 1 else ("or", tuple(found))

    def _values(self, letter: str, name: Name) -> RunValues:
        select, params = values_sql(name, SAMPLE_FIELDS)
        return RunValues(letter, select, params, asked_key(name.text, SAMPLE_FIELDS))

    def _in_runs(self, letter: str | None, leaf: Leaf) -> Tree:
        condition = condition_of_samples(leaf)
        if letter is not None:
            return self._added(RunTest(letter, condition, is_bare=False))
        return "or", tuple(
            self._added(RunTest(one, condition, is_bare=True)) for one in self._letters
        )

    def _added(self, test: RunTest | PairTest) -> int:
        self.tests.append(test)
        return len(self.tests) - 1

    def _named(self, name: Name) -> tuple[str | None, Name]:
        letter, rest = self._split(name.text, name.position)
        return letter, Name(rest, name.position + len(name.text) - len(rest))

    def _split(self, text: str, position: int) -> tuple[str | None, str]:
        match = _LETTER.match(text)
        if match is None:
            return None, text
        letter = match[1]
        if letter not in self._letters:
            known = f"{', '.join(self._letters[:-1])} and {self._letters[-1]}"
            raise FilterError(f"There is no run {letter} here: the runs are {known}.", position)
        return letter, text[match.end() :]


# Asking --------------------------------------------------------------------------------------


def matching(runs: RunSet, samples: JoinedSamples, condition: ComparedCondition) -> frozenset[int]:
    """Return the numbers of the joined samples that meet a condition.

    Raises:
        StoreError: A run that the condition is about cannot be read.
        FilterError: A pattern takes too long.
    """
    letters = [run.letter for run in runs.runs]
    numbers = {
        letter: {} if run is None else dict(zip(run.rowids, of_run, strict=True))
        for letter, run, of_run in zip(letters, samples.runs, samples.numbers, strict=True)
    }
    of = {run.letter: run for run in runs.runs}
    sets: list[frozenset[int]] = []
    for test in condition.tests:
        if isinstance(test, RunTest):
            found: Sequence[int] = array("q")
            # A run that could not be read has no samples here.
            if numbers[test.letter]:
                found = of[test.letter].run.ask(sample_rows.ordered, None, test.condition)
            known = numbers[test.letter]
            sets.append(frozenset(known[rowid] for rowid in found if rowid in known))
        else:
            sets.append(_meeting(test, of, numbers))
    return _joined_sets(condition.tree, sets, frozenset(range(samples.count)))


def _joined_sets(
    tree: Tree, sets: Sequence[frozenset[int]], every: frozenset[int]
) -> frozenset[int]:
    if isinstance(tree, int):
        return sets[tree]
    word, parts = tree
    found = [_joined_sets(part, sets, every) for part in parts]
    if word == "not":
        return every - found[0]
    return found[0].intersection(*found[1:]) if word == "and" else found[0].union(*found[1:])


def _meeting(
    test: PairTest, of: Mapping[str, ComparedRun], numbers: Mapping[str, Mapping[int, int]]
) -> frozenset[int]:
    """Return the samples for which a pair of values of the two runs passes a test."""
    # The empty name stands for a database that goes to a file only as it gets large.
    with closing(sqlite3.connect("")) as meeting:
        register_functions(meeting)
        for table, side in (("one", test.left), ("two", test.right)):
            meeting.execute(f"create table {table} (number, value)")
            if known := numbers[side.letter]:
                of[side.letter].run.ask(partial(_fill, into=meeting, table=table), side, known)
        meeting.execute("create index of_two on two (number)")
        rows = meeting.execute(
            "select distinct item.number from one as item"
            f" join two as other on other.number = item.number where {test.sql}"
        )
        return frozenset(number for (number,) in rows)


def _fill(
    connection: sqlite3.Connection,
    side: RunValues,
    known: Mapping[int, int],
    into: sqlite3.Connection,
    table: str,
) -> None:
    """Write the values of a run into a table; it may be called again after a failure."""
    into.execute(f"delete from {table}")
    if not table_columns(connection, "evals"):
        return
    # By place, since rows are read ahead. What was taken is not kept.
    gathered: dict[int, list[tuple[str, object]]] = {}
    places = count(1)

    class Gathered:
        def __init__(self) -> None:
            self._values: list[tuple[str, object]] = []

        def step(self, type_: str, value: object) -> None:
            self._values.append((type_, value))

        def finalize(self) -> int:
            place = next(places)
            gathered[place] = self._values
            return place

    register_those_of_samples(connection)
    register_functions(connection)
    connection.create_aggregate("gathered", 2, Gathered)  # type: ignore[arg-type]
    # A text goes as bytes, since it may not be UTF-8.
    value = "case typeof(value) when 'text' then cast(value as blob) else value end"
    rows = connection.execute(
        f"{relation(connection, side.select)}"
        f" select rowid, (select gathered(typeof(value), {value}) from ({side.select}))"
        " from sample",
        dict(side.params),
    )

    def values() -> Iterator[tuple[int, str, object]]:
        for rowid, place in rows:
            for type_, one in gathered.pop(place, ()):
                if rowid in known:
                    yield known[rowid], type_, one

    into.executemany(
        f"insert into {table} values (?1, case ?2 when 'text' then cast(?3 as text) else ?3 end)",
        values(),
    )


def filter_remarks(runs: RunSet, condition: ComparedCondition) -> tuple[str, ...]:
    """Return sentences about keys that no sample has, and words that are searched for as texts.

    What was asked of every run is told only if it is true of all of them.
    """
    told: dict[str, None] = {}
    bare: list[dict[str, None]] = []
    for run in runs.runs:
        of_run: dict[str, None] = {}
        for test in condition.tests:
            for letter, asked, is_bare in _asked(test):
                if letter != run.letter or asked is None:
                    continue
                for remark in run.run.remarks(asked, sample_rows.remarks):
                    if is_bare:
                        of_run[remark] = None
                    else:
                        told[f"{letter}: {remark}"] = None
        bare.append(of_run)
    of_all = [remark for remark in bare[0] if all(remark in of_run for of_run in bare)]
    return (*of_all, *told)


def _asked(test: RunTest | PairTest) -> Iterator[tuple[str, Condition | None, bool]]:
    if isinstance(test, RunTest):
        yield test.letter, test.condition, test.is_bare
    else:
        for side in (test.left, test.right):
            yield side.letter, side.asked, False
