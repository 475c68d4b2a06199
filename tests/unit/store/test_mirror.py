"""Runs that are read from elsewhere, written as often as their records come."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from flowtui.store.schema.mirror import MirrorWriter, RunRow
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
            with mirror.experiment("one") as experiment:
                experiment.links(links)
    with closing(sqlite3.connect(tmp_path / "one" / "exp.db")) as db:
        rows = db.execute("select eval_dataset_id, eval_id, trace_id from eval_traces_bridge")
        assert sorted(rows) == [("set", "1", "a"), ("set", "2", "a")]
