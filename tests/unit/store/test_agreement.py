"""How far authors agree, against a count in plain Python."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import timedelta
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowtui.store.annotations.agreement import Agreement, agreement
from flowtui.store.schema import EvalAnnotationRow, EvalRow
from tests.unit.stores import NOW, execute, opened, writer

RUN = "run-1"
few = settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    with writer(tmp_path) as store:
        store.start_run(RUN, RUN)
        with store.experiment(RUN) as experiment:
            experiment.evals(
                EvalRow(dataset_id=dataset, id=id_, inputs={}) for dataset in "ab" for id_ in "123"
            )
    return tmp_path


def note(
    id_: str, user: str, value: bool | int | str, name: str = "n", dataset: str = "a", at: int = 0
) -> EvalAnnotationRow:
    return EvalAnnotationRow(
        dataset_id=dataset,
        eval_id=id_,
        name=name,
        kind="expectation",
        value=value,
        user=user,
        created_at=NOW + timedelta(seconds=at),
    )


def write(directory: Path, notes: Sequence[EvalAnnotationRow]) -> None:
    execute(directory / RUN / "exp.db", "delete from eval_annotations")
    with writer(directory) as store, store.experiment(RUN) as experiment:
        experiment.eval_annotations(notes)


def test_only_samples_with_several_authors_count_and_only_what_each_said_last(
    directory: Path,
) -> None:
    write(
        directory,
        [
            note("1", "ana", "good"),
            note("1", "sam", "bad", at=5),
            note("1", "sam", "good", at=9),
            note("2", "ana", 1),
            note("2", "sam", "1"),
            note("2", "kim", "1"),
            note("3", "ana", True),
            note("3", "ana", False),
            note("1", "ana", True, name="alone"),
            note("1", "ana", True, dataset="b"),
            note("1", "sam", False, dataset="b"),
        ],
    )
    with opened(directory) as store:
        # A whole number is not the text of its digits.
        found = (Agreement("n", 3, 1, pair_count=5, agreeing_pair_count=2),)
        assert store.run(RUN).ask(agreement) == found
        assert store.run(RUN).ask(agreement, "a") == (Agreement("n", 2, 1, 4, 2),)
        assert store.run(RUN).ask(agreement, "nowhere") == ()
    assert (found[0].unanimous_share, found[0].pair_share) == (1 / 3, 2 / 5)


def test_a_run_without_the_table_has_none(directory: Path) -> None:
    execute(directory / RUN / "exp.db", "drop table eval_annotations")
    with opened(directory) as store:
        assert store.run(RUN).ask(agreement) == ()


@few
@given(
    st.lists(
        st.builds(
            note,
            id_=st.sampled_from("123"),
            user=st.sampled_from(["ana", "sam", "kim", "日本"]),
            value=st.sampled_from([True, False, 1, "1", "true"]),
            name=st.sampled_from(["n", "m"]),
            dataset=st.sampled_from("ab"),
            at=st.integers(0, 2),
        ),
        max_size=40,
    )
)
def test_it_is_what_counting_in_python_gives(
    directory: Path, notes: list[EvalAnnotationRow]
) -> None:
    write(directory, notes)
    last: dict[tuple[str, str, str], dict[str, tuple[str, str]]] = defaultdict(dict)
    for one in sorted(notes, key=lambda one: one.created_at or NOW):
        last[one.name, one.dataset_id, one.eval_id][one.user] = one.value_type, one.value_text
    expected: dict[str, Counter[str]] = defaultdict(Counter)
    for (name, *_), by_user in last.items():
        if len(by_user) < 2:
            continue
        pairs = list(combinations(by_user.values(), 2))
        expected[name].update(
            samples=1,
            unanimous=len(set(by_user.values())) == 1,
            pairs=len(pairs),
            agreeing=sum(one == other for one, other in pairs),
        )
    with opened(directory) as store:
        assert store.run(RUN).ask(agreement) == tuple(
            Agreement(name, sums["samples"], sums["unanimous"], sums["pairs"], sums["agreeing"])
            for name, sums in sorted(expected.items())
        )
