"""A run that is read by ranges is the run that is in the file, whatever is in it."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowtui.registry import artifacts
from flowtui.registry.artifacts import Reference
from flowtui.registry.client import Registry
from flowtui.registry.http import RequestPatience
from flowtui.registry.opening import open_listed
from flowtui.registry.upload import UploadJob, pack_run
from flowtui.registry.values import Labels, Secret
from flowtui.store.archive.opening import ArtifactStore, open_artifact
from flowtui.store.schema.rows import EvalRow, SpanRow
from tests.conftest import open_store
from tests.unit.fake_registry import KEY, OWNED, served
from tests.unit.stores import NOW, writer

QUICK = RequestPatience(tries=4, first_pause_s=0.001, longest_pause_s=0.002)
TEXT = st.text(max_size=12)
VALUE = st.one_of(st.booleans(), st.integers(-(2**62), 2**62), st.floats(), TEXT)
NAME = st.text("abc/._-é日 ", min_size=1, max_size=10).filter(
    lambda name: not {*name.split("/")} & {"", ".", ".."}
)
RUNS = st.fixed_dictionaries(
    {
        "params": st.dictionaries(TEXT, VALUE, max_size=4),
        "metrics": st.lists(
            st.tuples(TEXT.filter(bool), st.floats(), st.integers(0, 10**6)), max_size=20
        ),
        "spans": st.lists(st.tuples(TEXT, st.integers(1, 2**40)), max_size=5),
        "evals": st.lists(st.tuples(TEXT, st.floats(allow_nan=False)), max_size=5),
        "files": st.dictionaries(NAME, st.binary(max_size=70_000), max_size=5).filter(
            lambda files: not any(other.startswith(f"{name}/") for name in files for other in files)
        ),
    }
)
FAULTS = st.lists(st.sampled_from(["ok", "500", "drop"]), max_size=3)


def write(folder: Path, run: dict[str, Any]) -> None:
    with writer(folder) as made:
        made.start_run("run", "run")
        with made.experiment("run") as experiment:
            experiment.params(run["params"])
            experiment.metrics((key, value, step, NOW) for key, value, step in run["metrics"])
            experiment.spans(
                SpanRow(trace_id="a" * 32, span_id=f"{at:016x}", name=name, start_ns=1, end_ns=end)
                for at, (name, end) in enumerate(run["spans"])
            )
            experiment.evals(
                EvalRow(dataset_id="set", id=str(at), inputs={"q": text}, scores={"s": score})
                for at, (text, score) in enumerate(run["evals"])
            )
            for name, data in run["files"].items():
                experiment.attachment(name, data)


def all_of(store: ArtifactStore) -> dict[str, Any]:
    """Return everything that the tabs are made of."""
    run = store.resolve("latest")
    with closing(sqlite3.connect(run.database.path)) as connection:
        rows = list(connection.iterdump())
    listed = run.attachments()
    files = () if listed is None else (*listed.files, *listed.orphans)
    return {
        "row": (run.id, run.name, run.row.status, run.row.tags, run.row.description),
        "rows": rows,
        "lacks": run.database.lacking(),
        "listed": [(one.path, one.state, one.disk_size_bytes, one.problem) for one in files],
        "bytes": {one.path: run.files.path(one.path).read_bytes() for one in files},
    }


@settings(max_examples=12, deadline=None)
@given(run=RUNS, faults=FAULTS)
def test_the_file_and_its_ranges_read_the_same(run: dict[str, Any], faults: list[str]) -> None:
    with (
        tempfile.TemporaryDirectory() as name,
        pytest.MonkeyPatch.context() as patch,
        served() as fake,
        Registry(Secret(KEY), fake.url, patience=QUICK) as registry,
    ):
        folder = Path(name)
        patch.setenv("FLOW_TUI_CACHE", str(folder / "cache"))
        write(folder / "store", run)
        with closing(open_store(folder / "store")) as local:
            pack = pack_run(local, "run")
            with UploadJob(registry, OWNED, Labels("mine"), pack, "run") as job:
                done = job.run()
        (folder / "mine.luml").write_bytes(fake.stored[done.artifact_id])
        one = artifacts.find(registry, Reference(artifact_id=done.artifact_id))
        fake.faults.looks = faults
        with (
            closing(open_artifact(folder / "mine.luml")) as of_file,
            closing(open_listed(registry, one)) as by_range,
        ):
            assert all_of(by_range) == all_of(of_file)
        fake.ranges.clear()
        # And once more, out of what was kept.
        with (
            closing(open_artifact(folder / "mine.luml")) as of_file,
            closing(open_listed(registry, one)) as again,
        ):
            assert all_of(again) == all_of(of_file)
        assert fake.ranges == []
