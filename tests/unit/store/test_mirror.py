"""Runs that are read from elsewhere, written as often as their records come."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlite_utils import Database

from flowtui.store.schema import create
from flowtui.store.schema.mirror import MirrorExperiment, MirrorWriter, RunRow
from flowtui.store.schema.rows import LinkRow


def link(sample: str) -> LinkRow:
    return LinkRow(dataset_id="set", eval_id=sample, trace_id="a")


def test_a_link_that_comes_again_is_written_once(tmp_path: Path) -> None:
    with MirrorWriter(tmp_path) as mirror:
        mirror.put([RunRow(id="one", name="one", group="g", status="active")])
        for links in (
            [link("1")],
            [link("1"), link("2")],
        ):
            with MirrorExperiment(tmp_path / "one" / "exp.db") as experiment:
                experiment.links(links)
    with closing(sqlite3.connect(tmp_path / "one" / "exp.db")) as db:
        rows = db.execute("select eval_dataset_id, eval_id, trace_id from eval_traces_bridge")
        assert sorted(rows) == [("set", "1", "a"), ("set", "2", "a")]


def test_the_last_values_of_many_points_take_no_more_work_than_those_of_few(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps_of_sqlite = 0

    def opened(path: Path, **how: bool) -> Database:
        def count() -> None:
            nonlocal steps_of_sqlite
            steps_of_sqlite += 1

        database = create.open_for_writing(path, **how)
        database.conn.set_progress_handler(count, 1)
        return database

    monkeypatch.setattr("flowtui.store.schema.experiment.open_for_writing", opened)
    at = datetime(2026, 6, 1, tzinfo=UTC)
    work = []
    with MirrorWriter(tmp_path) as mirror:
        mirror.put([RunRow(id="one", name="one", group="g", status="active")])
        with MirrorExperiment(tmp_path / "one" / "exp.db") as experiment:
            for start in (0, 2_000):
                steps = range(start, start + 2_000)
                experiment.metrics((key, step, step, at) for step in steps for key in "ba")
                steps_of_sqlite = 0
                assert list(experiment.last_values().items()) == [
                    ("b", start + 1_999.0),
                    ("a", start + 1_999.0),
                ]
                work.append(steps_of_sqlite)
    assert work[0] == work[1]
