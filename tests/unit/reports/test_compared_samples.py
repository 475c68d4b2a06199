"""The scores of a comparison as text and as documents."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from flowtui.reports.comparison.printing import ComparedContents
from flowtui.reports.comparison.samples import (
    joined_counts,
    save_samples,
    save_scores,
    score_documents,
    text_lines,
)
from flowtui.store.compare.run_set import RunSet
from flowtui.store.compare.sample_views import listed
from flowtui.store.compare.samples import ComparedSamples, SampleReader, by_direction, compared
from tests.unit.compared_samples import agents, other_questions, run_set


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[RunSet]:
    with run_set(tmp_path / "store", agents()) as found:
        yield found


@pytest.fixture
def of(runs: RunSet) -> ComparedSamples:
    return compared(runs, SampleReader(runs).read().samples, "B", by_direction())


def test_the_text_names_the_samples_that_got_worse(of: ComparedSamples) -> None:
    lines = list(text_lines([of]))
    assert (
        lines[1].split()
        == (
            "all sets correct 95 % 92 % -3.3 5 3 52 (52 ✓ 0 ✗) 1 2"
            " 5 worse, 3 better of 60: could be chance, p = 0.73"
        ).split()
    )
    assert lines[-2:] == ["6 scores tested", "worse in B: q003, q007, q021, q033, q048"]
    assert list(text_lines([])) == []


def test_documents_have_all_counts(of: ComparedSamples) -> None:
    [found] = [
        one for one in score_documents([of])
        if (one["dataset"], one["name"]) == (None, "correct")
    ]  # fmt: skip
    assert found["letter"] == "B"
    assert found["baseline"] == pytest.approx(57 / 60)
    assert found["candidate"] == pytest.approx(55 / 60)
    counts = ("regressed", "improved", "same", "changed", "only_baseline", "only_candidate")
    assert [found[name] for name in counts] == [5, 3, 52, 0, 1, 2]
    assert found["p"] == pytest.approx(0.7265625)


def test_saved_samples_are_those_that_were_listed_in_their_order(
    runs: RunSet, of: ComparedSamples, tmp_path: Path
) -> None:
    numbers = listed(of.samples, 1, of.outcomes, of.pairs)
    seen: list[tuple[int, int]] = []
    for format_key in ("csv", "jsonl", "markdown"):
        path = tmp_path / format_key
        said = save_samples(
            runs, of, numbers, by_direction(), format_key, path, lambda *at: seen.append(at)
        )
        assert said.startswith("63 samples to ")
    assert seen[:2] == [(0, 63), (63, 63)]
    rows = list(csv.DictReader(io.StringIO((tmp_path / "csv").read_text())))
    assert [row["id"] for row in rows[:3]] == ["q003", "q007", "q021"]
    assert rows[0]["correct A"] == "true"
    assert rows[0]["correct B"] == "false"
    assert rows[0]["correct outcome"] == "regressed"
    lines = [json.loads(line) for line in (tmp_path / "jsonl").read_text().splitlines()]
    assert [one["id"] for one in lines] == [row["id"] for row in rows]
    assert lines[0]["scores"]["similarity"] == {
        "A": 1.0, "B": 0.25, "delta": -0.75, "outcome": "regressed",
    }  # fmt: skip
    assert lines[0]["outputs"]["B"]["answer"].endswith("at your own cost.")
    table = (tmp_path / "markdown").read_text().splitlines()
    assert len(table) == 65
    assert table[2].startswith("| ✗ worse | q003 | ✓ → ✗ | 1 → 0.25 |")


def test_both_inputs_are_saved_and_those_that_differ_are_counted(tmp_path: Path) -> None:
    with run_set(tmp_path / "store", other_questions()) as runs:
        found = ComparedContents(runs)
        [of] = found.samples
        assert joined_counts(of) == {
            "letter": "B", "joined": 5, "baseline": 5, "candidate": 5, "differing_inputs": 4,
        }  # fmt: skip
        assert "inputs of 4 of 5 joined samples differ" in list(text_lines([of]))
        for format_key in ("csv", "jsonl", "markdown"):
            save_samples(
                runs, of, range(5), by_direction(), format_key, tmp_path / format_key,
                lambda *_: None,
            )  # fmt: skip
    rows = list(csv.DictReader(io.StringIO((tmp_path / "csv").read_text())))
    assert [json.loads(rows[1][f"inputs {letter}"])["question"] for letter in "AB"] == [
        "What is 1?", "What is 101?",
    ]  # fmt: skip
    lines = [json.loads(line) for line in (tmp_path / "jsonl").read_text().splitlines()]
    assert lines[1]["inputs"] == {
        "A": {"question": "What is 1?"}, "B": {"question": "What is 101?"},
    }  # fmt: skip
    table = (tmp_path / "markdown").read_text()
    assert "| What is 0? |" in table
    assert "| What is 1? → What is 101? |" in table


def test_saved_scores_are_a_table(of: ComparedSamples, tmp_path: Path) -> None:
    for format_key in ("csv", "jsonl", "markdown"):
        assert save_scores(of, format_key, tmp_path / format_key).startswith("9 scores to ")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "csv").read_text())))
    lines = [json.loads(line) for line in (tmp_path / "jsonl").read_text().splitlines()]
    assert [row["name"] for row in rows] == [line["name"] for line in lines]
    assert rows[0]["p"] == str(lines[0]["p"]) == "0.7265625"
    assert (
        "| all sets | correct | 95 % | 92 % | -3.3 | 5 | 3 |" in (tmp_path / "markdown").read_text()
    )
