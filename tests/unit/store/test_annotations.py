"""Reading annotations, broken and missing ones included, and what a draft may say."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flowtui.store.annotations import listing as annotation_rows
from flowtui.store.annotations.values import (
    AnnotationKind,
    AnnotationName,
    Draft,
    SampleTarget,
    SpanTarget,
    Value,
    check_value,
    whole_number,
)
from flowtui.store.errors import InvalidAnnotation
from tests.unit.annotated import (
    OTHER_SAMPLE,
    OTHER_SPAN,
    RUN,
    SAMPLE,
    SPAN,
    TRACE,
    annotatable,
    expectation,
    feedback,
)
from tests.unit.stores import contents, execute, opened

INSERT = (
    "insert into span_annotations"
    " (id, trace_id, span_id, name, annotation_kind, value_type, value, user, rationale,"
    f" created_at) values (?, '{TRACE}', ?, ?, ?, ?, ?, ?, ?, ?)"
)
INSERT_SAMPLE = (
    "insert into eval_annotations"
    " (id, dataset_id, eval_id, name, annotation_kind, value_type, value, user, created_at)"
    " values (?, 'set', ?, ?, ?, ?, ?, ?, ?)"
)


@pytest.fixture
def exp_db(tmp_path: Path) -> Path:
    return annotatable(tmp_path)


def row(
    id_: str,
    *,
    value: str = "true",
    value_type: str = "bool",
    name: str = "quality",
    user: str = "ana",
    at: str | None = "2026-01-01 00:00:00",
    span: SpanTarget = SPAN,
) -> tuple[object, ...]:
    kind = "feedback" if value_type == "bool" else "expectation"
    return id_, span.span_id, name, kind, value_type, value, user, None, at


def test_annotations_come_oldest_first_and_in_order_of_writing_within_a_second(
    exp_db: Path, tmp_path: Path
) -> None:
    execute(
        exp_db,
        INSERT,
        [row("z", at="2026-01-02 00:00:00"), row("b"), row("a"), row("c", span=OTHER_SPAN)],
    )
    with opened(tmp_path) as store:
        found = store.run(RUN).ask(annotation_rows.of_target, SPAN)
    assert [annotation.id for annotation in found] == ["b", "a", "z"]
    assert {annotation.target for annotation in found} == {SPAN}
    assert found[2].created_at == datetime(2026, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value_type", "raw", "value", "problem"),
    [
        ("bool", "true", True, None),
        ("bool", "False", False, None),
        ("bool", "yes", "yes", "neither true nor false: 'yes'"),
        ("int", "-12", -12, None),
        ("int", str(2**70), 2**70, None),
        ("int", "4.5", "4.5", "not a whole number: '4.5'"),
        ("int", "9" * 5000, "9" * 5000, "not a whole number"),
        ("string", "true", "true", None),
        ("string", "", "", None),
    ],
)
def test_a_value_is_of_its_type_or_comes_as_it_is_with_a_problem(
    exp_db: Path, tmp_path: Path, value_type: str, raw: str, value: Value, problem: str | None
) -> None:
    execute(exp_db, INSERT, [row("a", value=raw, value_type=value_type)])
    with opened(tmp_path) as store:
        (found,) = store.run(RUN).ask(annotation_rows.of_target, SPAN)
    assert (type(found.value), found.value) == (type(value), value)
    assert found.raw_value == raw
    assert (found.problem is None) == (problem is None)
    assert (problem or "") in (found.problem or "")


def test_a_row_that_no_check_guarded_says_all_that_is_wrong_with_it(
    exp_db: Path, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(exp_db)) as connection, connection:
        connection.execute("pragma ignore_check_constraints = 1")
        values = ("a", SPAN.span_id, "n", "rumour", "colour", "red", "ana", None, "yesterday")
        connection.execute(INSERT, values)
    with opened(tmp_path) as store:
        (found,) = store.run(RUN).ask(annotation_rows.of_target, SPAN)
    assert (found.kind, found.value_type, found.value) == ("rumour", "colour", "red")
    assert found.created_at is None
    assert found.raw_created_at == "yesterday"
    for part in ("'rumour'", "'colour'", "'yesterday'"):
        assert part in (found.problem or "")


def test_bytes_that_are_no_text_do_not_hide_an_annotation(exp_db: Path, tmp_path: Path) -> None:
    execute(exp_db, INSERT, [row("a", value_type="string", value="x")])
    execute(exp_db, "update span_annotations set value = cast(x'ff41' as text)")
    with opened(tmp_path) as store:
        (found,) = store.run(RUN).ask(annotation_rows.of_target, SPAN)
    assert found.value == "\udcffA"


def test_counts_are_of_annotated_targets_only_and_of_one_author_if_asked(
    exp_db: Path, tmp_path: Path
) -> None:
    execute(exp_db, INSERT, [row("a"), row("b", user="sam"), row("c", span=OTHER_SPAN)])
    sample = ("quality", "feedback", "bool", "true", "sam", "2026-01-01 00:00:00")
    execute(exp_db, INSERT_SAMPLE, [("d", "1", *sample), ("e", "2", *sample)])
    stranger = SampleTarget("set", "no such")
    with opened(tmp_path) as store:
        assert store.run(RUN).ask(annotation_rows.span_counts, TRACE) == {SPAN: 2, OTHER_SPAN: 1}
        assert store.run(RUN).ask(annotation_rows.span_counts, TRACE, "sam") == {SPAN: 1}
        assert store.run(RUN).ask(annotation_rows.span_counts, "f" * 32) == {}
        assert store.run(RUN).ask(annotation_rows.sample_counts, [SAMPLE, stranger]) == {SAMPLE: 1}
        assert (
            store.run(RUN).ask(annotation_rows.sample_counts, [SAMPLE, OTHER_SAMPLE], "ana") == {}
        )
        assert store.run(RUN).ask(annotation_rows.sample_counts, []) == {}


def test_names_and_authors_of_both_tables_come_last_used_first(
    exp_db: Path, tmp_path: Path
) -> None:
    old, middle, new = (f"2026-01-0{day} 00:00:00" for day in (1, 2, 3))
    execute(
        exp_db,
        INSERT,
        [
            row("a", name="quality", at=old),
            row("b", name="quality", at=new, user="sam"),
            row("c", name="quality", value_type="string", value="good", at=old),
        ],
    )
    execute(
        exp_db,
        INSERT_SAMPLE,
        [("d", "1", "stars", "expectation", "int", "4", "kim", middle)],
    )
    with opened(tmp_path) as store:
        assert store.run(RUN).ask(annotation_rows.names) == (
            AnnotationName("quality", "feedback", "bool", 2),
            AnnotationName("stars", "expectation", "int", 1),
            AnnotationName("quality", "expectation", "string", 1),
        )
        assert store.run(RUN).ask(annotation_rows.authors) == ("sam", "kim", "ana")


@pytest.mark.parametrize("missing", [("span",), ("eval",), ("span", "eval")])
def test_missing_tables_hold_no_annotations(
    exp_db: Path, tmp_path: Path, missing: tuple[str, ...]
) -> None:
    for name in missing:
        execute(exp_db, f"drop table {name}_annotations")
    before = contents(tmp_path)
    with opened(tmp_path) as store:
        assert (
            store.run(RUN).ask(annotation_rows.of_target, SPAN)
            == store.run(RUN).ask(annotation_rows.of_target, SAMPLE)
            == ()
        )
        assert store.run(RUN).ask(annotation_rows.span_counts, TRACE) == {}
        assert store.run(RUN).ask(annotation_rows.sample_counts, [SAMPLE]) == {}
        assert store.run(RUN).ask(annotation_rows.names) == ()
        assert store.run(RUN).ask(annotation_rows.authors) == ()
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    ("draft", "field", "says"),
    [
        (feedback(name=" \t"), "name", "the name is empty"),
        (feedback(name="two\nlines"), "name", "one line"),
        (feedback(user=""), "user", "the author is empty"),
        (Draft("n", AnnotationKind.FEEDBACK, 1, None, "ana"), "value", "true or false"),
        (Draft("n", AnnotationKind.FEEDBACK, "true", None, "ana"), "value", "true or false"),
        (expectation(2**63), "value", "from -9223372036854775808 to 9223372036854775807"),
        (expectation("\ud800"), "value", "broken character at position 1"),
        (feedback(rationale="ok \udc80"), "rationale", "broken character at position 4"),
    ],
)
def test_a_draft_that_must_not_be_written_says_which_field_is_wrong(
    draft: Draft, field: str, says: str
) -> None:
    with pytest.raises(InvalidAnnotation, match=says) as raised:
        draft.check()
    assert raised.value.field == field


@pytest.mark.parametrize("value", [True, 0, -(2**63), 2**63 - 1, "", "日本\nx"])
def test_an_expectation_may_be_of_any_type(value: Value) -> None:
    expectation(value).check()


def test_a_kind_of_neither_sort_is_refused() -> None:
    draft = Draft("n", "rumour", True, None, "ana")  # type: ignore[arg-type]
    with pytest.raises(InvalidAnnotation, match="feedback or expectation"):
        draft.check()


@pytest.mark.parametrize(
    ("value", "value_type", "needed"),
    [(1, "bool", "true or false"), (True, "int", "a whole number"), (4, "string", "a text")],
)
def test_a_value_keeps_to_the_type_of_its_annotation(
    value: Value, value_type: str, needed: str
) -> None:
    with pytest.raises(InvalidAnnotation, match=f"must be {needed}"):
        check_value(value, "expectation", value_type)


@pytest.mark.parametrize(
    ("typed", "number"),
    [("4", 4), (" -12 ", -12), ("+7", 7), ("007", 7), (f"{'0' * 9000}1", 1), ("-0", 0),
     (str(2**63 - 1), 2**63 - 1), (str(-(2**63)), -(2**63))],
    ids=lambda part: str(part)[:24],
)  # fmt: skip
def test_decimal_digits_are_a_whole_number(typed: str, number: int) -> None:
    assert whole_number(typed) == number


@pytest.mark.parametrize("typed", ["", "-", "4.0", "1_000", "1e3", "٤", "--4", "four"])
def test_all_else_is_none(typed: str) -> None:
    with pytest.raises(InvalidAnnotation, match="must be a whole number"):
        whole_number(typed)


@pytest.mark.parametrize("typed", [str(2**63), str(-(2**63) - 1), "9" * 9000], ids=len)
def test_numbers_over_64_bits_are_refused(typed: str) -> None:
    with pytest.raises(InvalidAnnotation, match="must be from"):
        whole_number(typed)
