"""What the demo store holds."""

from __future__ import annotations

import gzip
import io
import json
import math
import re
import sqlite3
import struct
import tarfile
import zipfile
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from flowtui.demo import make_demo
from tests.unit.store.test_schema import EXPERIMENT, META, describe

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)

Rows = list[tuple[Any, ...]]
Query = Callable[..., Rows]


def query(path: Path, sql: str, *values: object) -> Rows:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql, values).fetchall()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("demo") / "store"
    make_demo(directory, NOW)
    return directory


@pytest.fixture(scope="module")
def meta(demo: Path) -> Query:
    return lambda sql, *values: query(demo / "meta.db", sql, *values)


def folder_of(demo: Path, name: str) -> Path:
    ((run_id,),) = query(demo / "meta.db", "select id from experiments where name = ?", name)
    return demo / str(run_id)


@pytest.fixture(scope="module")
def vision(demo: Path) -> Path:
    return folder_of(demo, "resnet50-cosine")


def dump(directory: Path) -> dict[str, object]:
    """Reads everything in a store: the rows of the databases, the bytes of the other files."""
    content: dict[str, object] = {}
    for path in sorted(directory.rglob("*")):
        name = str(path.relative_to(directory))
        if path.suffix == ".db":
            with closing(sqlite3.connect(path)) as connection:
                content[name] = list(connection.iterdump())
        elif path.is_file():
            content[name] = path.read_bytes()
    return content


def test_the_same_moment_makes_the_same_content(demo: Path, tmp_path: Path) -> None:
    make_demo(tmp_path / "again", NOW.replace(microsecond=5))
    assert dump(tmp_path / "again") == dump(demo)


def test_databases_have_the_current_schema_and_no_side_files(demo: Path) -> None:
    assert describe(demo / "meta.db") == META
    databases = list(demo.glob("*/exp.db"))
    assert len(databases) == 46
    assert all(describe(path) == EXPERIMENT for path in databases)
    assert not [*demo.rglob("*-wal"), *demo.rglob("*-shm"), *demo.rglob("*-journal")]


def test_nothing_tells_where_it_was_made(demo: Path) -> None:
    machine = re.compile(rb"/(tmp|root|home|Users|private|work)/|localhost|://(?!schemas|www\.w3)")
    found = [
        (path.name, match.group())
        for path in demo.rglob("*")
        if path.is_file()
        for match in machine.finditer(path.read_bytes())
    ]
    assert found == []


def test_databases_are_sound_and_every_reference_holds(demo: Path) -> None:
    for path in demo.rglob("*.db"):
        assert query(path, "pragma integrity_check") == [("ok",)]
        assert query(path, "pragma foreign_key_check") == []


def test_runs_are_in_every_state_and_group(meta: Query) -> None:
    statuses = meta("select status, count(*) from experiments group by 1 order by 1")
    assert statuses == [("active", 2), ("completed", 43), ("error", 1)]
    groups: dict[str, int] = dict(
        meta(
            "select experiment_groups.name, count(*) from experiments"
            " join experiment_groups on experiment_groups.id = group_id group by 1"
        )
    )
    assert groups == {
        "agents": 5,
        "churn": 3,
        "default": 1,
        "documents": 1,
        "language": 1,
        "sweep-lr": 30,
        "vision": 5,
    }


def test_times_lie_in_the_weeks_before_now(meta: Query) -> None:
    ((first, last),) = meta("select min(created_at), max(created_at) from experiments")
    assert "2026-04-30" < first < "2026-05-10"
    assert last == "2026-06-01 11:46:00"
    ((late,),) = meta("select count(*) from experiment_groups where last_modified > ?", str(NOW))
    assert late == 0


def test_only_completed_runs_have_copies_of_their_values(meta: Query) -> None:
    copied = meta(
        "select distinct status, static_params is not null, dynamic_params is not null,"
        " duration is not null from experiments order by 1"
    )
    assert copied == [("active", 0, 0, 0), ("completed", 1, 1, 1), ("error", 0, 0, 1)]


def test_copies_agree_with_the_last_points(meta: Query, vision: Path) -> None:
    ((text,),) = meta("select dynamic_params from experiments where id = ?", vision.name)
    last: dict[str, float] = dict(
        query(vision / "exp.db", "select key, value from dynamic_metrics where step = 4999")
    )
    assert json.loads(text) == last


def test_one_run_is_uploaded_and_has_tags_beyond_ascii(meta: Query) -> None:
    uploaded = meta(
        "select name, tags from experiments join remote_artifacts on local_id = experiments.id"
        " where upload_status = 'uploaded' and local_type = 'experiment'"
    )
    assert [name for name, _ in uploaded] == ["cv-parser-ner"]
    assert "résumé-日本" in json.loads(uploaded[0][1])


def test_the_active_run_was_written_to_a_moment_ago(demo: Path) -> None:
    path = folder_of(demo, "llama-lora-sft") / "exp.db"
    ((last, points),) = query(path, "select max(logged_at), count(*) from dynamic_metrics")
    assert "2026-06-01 11:59:30" < last < "2026-06-01 12:00:00"
    assert points == 5 * 417 + 8


def test_the_failed_run_attaches_its_traceback(demo: Path) -> None:
    file = folder_of(demo, "vit-b16-mixup") / "attachments" / "logs" / "traceback.txt"
    assert file.read_text().endswith("but unallocated.\n")
    assert "OutOfMemoryError" in file.read_text()


def test_the_empty_run_has_nothing_in_it(demo: Path) -> None:
    path = folder_of(demo, "scratch") / "exp.db"
    filled = {
        table: count
        for table in EXPERIMENT
        for ((count,),) in [query(path, f"select count(*) from {table}")]
        if count
    }
    assert filled == {"exp_schema_migrations": 2}


def test_small_runs_have_params_and_metrics_that_differ(meta: Query, demo: Path) -> None:
    finals = []
    for run_id, static, dynamic in meta(
        "select experiments.id, static_params, dynamic_params from experiments"
        " join experiment_groups on experiment_groups.id = group_id"
        " where experiment_groups.name in ('sweep-lr', 'churn')"
    ):
        assert len(json.loads(static)) == 6
        assert len(json.loads(dynamic)) == 4
        finals.append(json.loads(dynamic)["val/accuracy"])
        assert query(demo / run_id / "exp.db", "select max(step) from dynamic_metrics") == [(59,)]
    assert len(set(finals)) > 30
    assert min(finals) < 0.25
    assert max(finals) > 0.78


def test_the_sweep_differs_in_two_parameters_and_a_seed(meta: Query) -> None:
    runs = [
        json.loads(text)
        for (text,) in meta(
            "select static_params from experiments"
            " join experiment_groups on experiment_groups.id = group_id"
            " where experiment_groups.name = 'sweep-lr'"
        )
    ]
    differing = {key for key in runs[0] if len({run[key] for run in runs}) > 1}
    assert differing == {"lr", "weight_decay", "seed"}
    seeds: dict[tuple[float, float], set[int]] = defaultdict(set)
    for run in runs:
        seeds[run["lr"], run["weight_decay"]].add(run["seed"])
    assert len(seeds) == 10
    assert all(found == {7, 21, 42} for found in seeds.values())


def test_vision_params_have_every_type(vision: Path) -> None:
    params = query(vision / "exp.db", "select key, value, value_type from static_params")
    assert len(params) >= 20
    assert {kind for _, _, kind in params} == {"int", "float", "bool", "str", "json"}
    values = {key: value for key, value, _ in params}
    nested = json.loads(values["augmentation"])
    assert nested["train"]["random_resized_crop"]["scale"] == [0.35, 1.0]
    assert len(json.loads(values["class_weights"])) == 101


def test_vision_metrics_have_a_spike_gaps_and_an_infinity(vision: Path) -> None:
    path = vision / "exp.db"
    counts: dict[str, int] = dict(
        query(path, "select key, count(*) from dynamic_metrics group by key")
    )
    assert len(counts) == 14
    assert counts["train/loss"] == 5000
    assert counts["val/accuracy"] == 50
    spikes = query(
        path, "select step, value from dynamic_metrics where key = 'train/loss' and value > 10"
    )
    assert spikes == [(3127, 77.0)]
    gaps = query(
        path, "select step from dynamic_metrics where key = 'train/loss' and value is null"
    )
    assert gaps == [(step,) for step in range(3128, 3133)]
    infinite = query(path, "select key, step from dynamic_metrics where value = ?", math.inf)
    assert infinite == [("train/grad_norm", 3127)]


def test_params_and_reports_tell_what_the_metrics_show(vision: Path) -> None:
    path = vision / "exp.db"
    params: dict[str, str] = dict(query(path, "select key, value from static_params"))
    steps, peak = query(path, "select count(*), max(value) from dynamic_metrics where key = 'lr'")[
        0
    ]
    ((spike, loss),) = query(
        path, "select step, value from dynamic_metrics where key = 'train/loss' and value > 10"
    )
    assert (int(params["steps"]), float(params["lr"])) == (steps, peak)
    report = (vision / "attachments/reports/report.md").read_text()
    assert f"step {spike:,}" in report
    assert f"a loss of `{loss}`" in report
    assert f"default={steps}" in (vision / "attachments/train.py").read_text()


def test_attachment_rows_match_their_files(demo: Path) -> None:
    names = []
    for path in demo.glob("*/exp.db"):
        for name, file_path, size in query(path, "select name, file_path, size from attachments"):
            file = path.parent / "attachments" / file_path
            assert file.stat().st_size == size
            names.append(name)
    kinds = Counter(Path(name).suffix for name in names)
    assert set(kinds) == {
        *(".png", ".gif", ".svg", ".pdf", ".docx", ".csv", ".tsv", ".json", ".jsonl"),
        *(".md", ".py", ".txt", ".log", ".gz", ".npy", ".state"),
        *(".yaml", ".toml", ".ipynb", ".html", ".diff", ".xlsx", ".parquet", ".zip"),
        *(".npz", ".h5", ".safetensors", ".pt", ".pkl", ".onnx", ".wav", ".sqlite"),
    }
    assert {Path(name).parts[0] for name in names if "/" in name} >= {
        "plots",
        "reports",
        "data",
        "logs",
    }


def test_the_pictures_are_whole(vision: Path) -> None:
    png = (vision / "attachments/plots/confusion_matrix.png").read_bytes()
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    start = png.index(b"IDAT") + 4
    (length,) = struct.unpack(">I", png[start - 8 : start - 4])
    assert len(zlib.decompress(png[start : start + length])) == height * (3 * width + 1)
    gif = (vision / "attachments/plots/descent.gif").read_bytes()
    assert gif.startswith(b"GIF89a")
    assert gif.endswith(b"\x3b")
    assert gif.count(b"\x21\xf9\x04") == 12


def test_the_documents_are_whole(vision: Path) -> None:
    pdf = (vision / "attachments/reports/report.pdf").read_bytes()
    table = int(pdf.rsplit(b"startxref\n", 1)[1].split()[0])
    assert pdf[table:].startswith(b"xref\n0 10\n")
    offsets = [int(line.split()[0]) for line in pdf[table:].splitlines()[3:12]]
    assert [pdf[at:].split(b" ", 1)[0] for at in offsets] == [b"%d" % n for n in range(1, 10)]
    assert b"/Count 3" in pdf
    with zipfile.ZipFile(vision / "attachments/reports/model_card.docx") as docx:
        assert docx.testzip() is None
        assert b"<w:tbl>" in docx.read("word/document.xml")


def test_the_texts_decode(vision: Path) -> None:
    files = vision / "attachments"
    assert "餃子" in (files / "reports/notes.txt").read_text("utf-8")
    assert "Größe" in (files / "data/labels_utf16.txt").read_text("utf-16")
    assert "\x1b[32m" in (files / "logs/train.log").read_text("utf-8")
    archived = gzip.decompress((files / "logs/train_full.log.gz").read_bytes())
    assert archived.count(b"\n") > 2000
    assert b"\x1b" not in archived
    assert (files / "data/predictions.csv").read_text().count("\n") == 3001
    assert all(map(json.loads, (files / "data/hard_examples.jsonl").read_text().splitlines()))
    compile((files / "train.py").read_text(), "train.py", "exec")
    npy = (files / "data/features.npy").read_bytes()
    assert (10 + struct.unpack("<H", npy[8:10])[0]) % 64 == 0


def test_models_are_archives_with_a_manifest(meta: Query, demo: Path) -> None:
    models = meta("select name, path, size from models order by name")
    assert [name for name, _, _ in models] == ["resnet50_v1", "resnet50_v1_ema"]
    for name, path, size in models:
        data = (demo / path).read_bytes()
        assert len(data) == size
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            manifest = archive.extractfile("manifest.json")
            assert manifest is not None
            assert json.load(manifest)["name"] == name
