"""The harness itself: environments, live stores, and golden stores that cannot drift from them."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.sdk.conftest import GOLDEN, go_without
from tests.sdk.environments import (
    PYTHON_VARIABLE,
    VERSIONS,
    WRITER,
    SdkUnavailable,
    environment,
    expected,
    find_python,
)

StoreOf = Callable[[str], Path]

META_VERSIONS = {"0.1.0": 3, "0.1.1": 4, "0.3.0": 5, "0.4.0": 6}
EXPERIMENT_VERSION = 2
EXPERIMENT_ROWS = """
    select (select count(*) from static_params), (select count(*) from dynamic_metrics),
           (select count(*) from spans), (select count(*) from evals),
           (select count(*) from eval_traces_bridge), (select count(*) from attachments)
"""
GOLDEN_BUDGET_BYTES = 400_000


def ask(database: Path, sql: str, mode: str = "immutable=1") -> list[tuple[Any, ...]]:
    """Asks a closed database, and leaves no -wal and -shm beside it as `mode=ro` would."""
    uri = f"{database.absolute().as_uri()}?{mode}"
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        return connection.execute(sql).fetchall()


def databases(store: Path) -> dict[str, Path]:
    """Gives meta.db and, by its run's label, each exp.db of a store with an expected.json."""
    runs = expected(store)["runs"]
    return {"meta": store / "meta.db"} | {
        label: store / run["id"] / "exp.db" for label, run in runs.items()
    }


def structure(database: Path) -> dict[str, list[Any]]:
    """Gives the columns, indices and foreign keys of each table.

    Not the SQL of sqlite_master: how a later `alter table` edits it is up to the SQLite that runs.
    """
    parts: dict[str, list[Any]] = {"user_version": ask(database, "pragma user_version")}
    tables = ask(database, "select name from sqlite_master where type = 'table' order by name")
    for (table,) in tables:
        indices = ask(
            database,
            'select i.name, i."unique", i.origin, i.partial, c.seqno, c.name'
            f" from pragma_index_list('{table}') i, pragma_index_info(i.name) c order by 1, 5",
        )
        columns = ask(database, f"pragma table_info('{table}')")
        parts[table] = [columns, indices, ask(database, f"pragma foreign_key_list('{table}')")]
    return parts


@pytest.fixture(params=["live", "golden"])
def store_of(request: pytest.FixtureRequest, golden_store: StoreOf, sdk_store: StoreOf) -> StoreOf:
    return sdk_store if request.param == "live" else golden_store


@pytest.mark.parametrize("version", VERSIONS)
def test_store_has_the_schema_versions_of_its_sdk(store_of: StoreOf, version: str) -> None:
    store = store_of(version)
    for label, database in databases(store).items():
        if label == "meta":
            table, migration, user_version = "schema_migrations", META_VERSIONS[version], 0
        else:
            table, migration = "exp_schema_migrations", EXPERIMENT_VERSION
            user_version = EXPERIMENT_VERSION
        assert ask(database, f"select max(version) from {table}") == [(migration,)]
        assert ask(database, "pragma user_version") == [(user_version,)]
        # Bytes 18 and 19 of a database file: 2 is the WAL mode.
        assert database.read_bytes()[18:20] == b"\x02\x02"


@pytest.mark.parametrize("version", VERSIONS)
def test_store_is_cleanly_closed(store_of: StoreOf, version: str) -> None:
    files = [path.name for path in store_of(version).rglob("*")]
    assert "exp.db" in files
    assert [name for name in files if name.endswith(("-wal", "-shm"))] == []


@pytest.mark.parametrize("version", [*VERSIONS, "pre2"])
def test_golden_rows_are_those_of_its_expected_document(
    golden_store: StoreOf, version: str
) -> None:
    assert_rows_match(golden_store(version))


@pytest.mark.parametrize("version", VERSIONS)
def test_live_rows_are_those_of_its_expected_document(sdk_store: StoreOf, version: str) -> None:
    assert_rows_match(sdk_store(version))


def assert_rows_match(store: Path) -> None:
    document = expected(store)
    rows = ask(store / "meta.db", "select id, name, status from experiments order by id")
    runs = sorted(document["runs"].values(), key=lambda run: run["id"])
    assert rows == [(run["id"], run["name"], run["status"]) for run in runs]
    for run in runs:
        database = store / run["id"] / "exp.db"
        (counts,) = ask(database, EXPERIMENT_ROWS)
        assert counts == (
            len(run["params"]),
            sum(metric["count"] for metric in run["metrics"].values()),
            sum(trace["spans"] for trace in run["traces"].values()),
            sum(map(len, run["evals"].values())),
            len(run["links"]),
            len(run["attachments"]),
        )
        types = dict(ask(database, "select key, value_type from static_params"))
        assert types == {key: param["type"] for key, param in run["params"].items()}
        nans = "select count(*) from dynamic_metrics where value is null"
        assert ask(database, nans) == [(sum(m["nan"] for m in run["metrics"].values()),)]
        for name, size in run["attachments"].items():
            assert (store / run["id"] / "attachments" / name).stat().st_size == size
        for model in run["models"]:
            assert (store / model["path"]).stat().st_size == model["size"]


@pytest.mark.parametrize("version", VERSIONS)
def test_golden_store_has_the_structure_of_the_live_one(
    golden_store: StoreOf, sdk_store: StoreOf, version: str
) -> None:
    golden, live = databases(golden_store(version)), databases(sdk_store(version))
    assert golden.keys() == live.keys()
    for label in live:
        assert structure(golden[label]) == structure(live[label])


@pytest.mark.parametrize("version", VERSIONS)
def test_golden_document_is_the_live_one_but_for_ids_and_names_by_chance(
    golden_store: StoreOf, sdk_store: StoreOf, version: str
) -> None:
    documents = []
    for store in (golden_store(version), sdk_store(version)):
        document = expected(store)
        del document["runs"]["bare"]["name"]
        text = json.dumps(document)
        for label, run in document["runs"].items():
            text = text.replace(run["id"], label)
        documents.append(json.loads(text))
    assert documents[0] == documents[1]


def test_oldest_golden_store_lacks_what_later_schemas_brought(golden_store: StoreOf) -> None:
    found = databases(golden_store("pre2"))
    meta, experiment = structure(found["meta"]), structure(found["complete"])
    assert set(meta) == {"user_version", "experiments", "experiment_groups"}
    columns = [name for _, name, *_ in meta["experiments"][0]]
    assert columns == ["id", "name", "created_at", "status", "group_name", "tags"]
    assert experiment["user_version"] == [(0,)]
    assert not {"span_annotations", "eval_annotations", "exp_schema_migrations"} & set(experiment)
    assert "size" not in [name for _, name, *_ in experiment["attachments"][0]]


def test_sdk_reads_the_oldest_golden_store_without_its_groups(
    golden_store: StoreOf, sdk_python: Callable[[str], Path]
) -> None:
    store = golden_store("pre2")
    # With a row in experiment_groups the SDK's second migration fails: SQLite adds a column with
    # a default of CURRENT_TIMESTAMP to an empty table only.
    with closing(sqlite3.connect(store / "meta.db")) as meta, meta:
        meta.execute("delete from experiment_groups")
        meta.execute("update experiments set group_name = 'gone'")
    script = (
        "import sys; from luml.experiments.tracker import ExperimentTracker as Tracker;"
        "tracker = Tracker('sqlite://' + sys.argv[1]); run = tracker.get_experiment('old-1');"
        "print(run.metadata.name, run.static_params, len(run.dynamic_metrics['loss']))"
    )
    answer = subprocess.run(
        [sdk_python("0.4.0"), "-c", script, store], check=True, stdout=subprocess.PIPE, text=True
    )
    params = {
        key: param["value"] for key, param in expected(store)["runs"]["complete"]["params"].items()
    }
    assert answer.stdout == f"first run {params} 3\n"


def test_golden_stores_are_small_and_name_no_machine() -> None:
    files = [path for path in GOLDEN.rglob("*") if path.is_file()]
    assert {path.name for path in GOLDEN.iterdir()} == {*VERSIONS, "pre2"}
    assert sum(path.stat().st_size for path in files) < GOLDEN_BUDGET_BYTES
    places = (b"/home/", b"/root/", b"/tmp/", b"/Users/", b"/var/")
    assert [path for path in files if any(place in path.read_bytes() for place in places)] == []


def test_live_writer_names_its_run_first_and_reports_what_it_wrote(
    sdk_python: Callable[[str], Path], tmp_path: Path
) -> None:
    command: list[str | Path] = [sdk_python("0.4.0"), WRITER, tmp_path, "--live", "0.2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        run_id = writer.stdout.readline().strip()
        active = ask(tmp_path / "meta.db", "select id, status from experiments", "mode=ro")
        report = json.loads(writer.stdout.read())
    assert active == [(run_id, "active")]
    assert ask(tmp_path / "meta.db", "select status from experiments") == [("completed",)]
    metrics = tmp_path / run_id / "exp.db"
    assert ask(metrics, "select count(*) from dynamic_metrics") == [(report["written"],)]
    assert report["errors"] == 0
    assert report["slowest_ms"] > 0


@pytest.fixture
def fake_python(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[int], Path]:
    """Names a Python whose environments refuse that many installs; gives the log of installs."""

    def make(refusals: int) -> Path:
        log, pip, python = (tmp_path / name for name in ("installs", "pip", "python"))
        log.touch()
        pip.write_text(
            f'#!/bin/sh\necho "$*" >> {log}\n'
            f"[ $(wc -l < {log}) -gt {refusals} ] || {{ echo no route >&2; exit 1; }}\n"
        )
        python.write_text(
            f'#!/bin/sh\n[ "$2" = venv ] || exit 0\nmkdir -p "$4/bin" && cp {pip} "$4/bin/python"\n'
        )
        for script in (pip, python):
            script.chmod(0o755)
        monkeypatch.setenv(PYTHON_VARIABLE, str(python))
        return log

    return make


def test_environment_is_made_once_for_all_who_ask(
    fake_python: Callable[[int], Path], tmp_path: Path
) -> None:
    log = fake_python(1)
    home = tmp_path / "sdk"
    pythons: list[Path] = []
    threads = [
        threading.Thread(target=lambda: pythons.append(environment("9.9.9", home)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert pythons == [home / "9.9.9" / "bin" / "python"] * 3
    # The first was refused, the second is the retry; the others found the environment ready.
    assert log.read_text().splitlines() == ["-m pip install --quiet luml-sdk==9.9.9"] * 2


def test_environment_that_cannot_be_installed_is_not_ready(
    fake_python: Callable[[int], Path], tmp_path: Path
) -> None:
    fake_python(2)
    with pytest.raises(SdkUnavailable, match=r"no luml-sdk==9.9.9 for .*: no route"):
        environment("9.9.9", tmp_path / "sdk")
    assert not (tmp_path / "sdk" / "9.9.9" / ".ready").exists()
    assert environment("9.9.9", tmp_path / "sdk").exists()


def test_named_python_that_does_not_run_is_not_passed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(PYTHON_VARIABLE, os.devnull)
    with pytest.raises(SdkUnavailable, match=rf"no Python >= 3.12 .*{os.devnull}"):
        find_python()


def test_missing_sdk_skips_a_test_unless_it_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLOW_TUI_TEST_SDK", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no Python"):
        go_without("no Python >= 3.12")
    monkeypatch.setenv("FLOW_TUI_TEST_SDK", "required")
    with pytest.raises(pytest.fail.Exception, match="required, but there is no Python"):
        go_without("no Python >= 3.12")
