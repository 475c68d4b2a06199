"""Runs in the registry, opened where they lie: what is read, and what is said when that fails."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from flowtui.previews import files
from flowtui.previews.errors import PreviewFailed
from flowtui.previews.preview import preview
from flowtui.previews.values import Request, TablePage, never
from flowtui.registry import artifacts, cache
from flowtui.registry.artifacts import NotFound, Reference, reference
from flowtui.registry.client import Registry
from flowtui.registry.errors import (
    NotAllowed,
    RangesIgnored,
    RegistryError,
    StorageFailed,
    StoredChanged,
    Unreachable,
)
from flowtui.registry.http import RequestPatience
from flowtui.registry.opening import open_remote
from flowtui.registry.upload import UploadJob, pack_run
from flowtui.registry.values import Labels, Secret
from flowtui.store import counts
from flowtui.store.archive.opening import ArtifactStore
from flowtui.store.archive.values import ArtifactError
from flowtui.store.attachments.values import AttachmentRefused
from flowtui.store.files import in_pieces
from flowtui.store.open_run import OpenRun
from flowtui.store.store import Store
from tests.conftest import open_store
from tests.unit.fake_registry import KEY, OWNED, FakeRegistry, served
from tests.unit.stores import writer

QUICK = RequestPatience(tries=3, first_pause_s=0.001, longest_pause_s=0.002)
RUN = "support-agent-v3"
BY_NAME = Reference(orbit="vision", collection="Baselines", name="mine")


@pytest.fixture(autouse=True)
def cache_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FLOW_TUI_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def fake() -> Iterator[FakeRegistry]:
    with served() as registry:
        yield registry
        assert registry.complaints == []


@pytest.fixture
def registry(fake: FakeRegistry, cache_directory: Path) -> Iterator[Registry]:
    with Registry(Secret(KEY), fake.url, patience=QUICK) as opened:
        yield opened


@pytest.fixture
def local(demo_directory: Path) -> Store:
    return open_store(demo_directory)


@pytest.fixture
def uploaded(registry: Registry, fake: FakeRegistry, local: Store) -> str:
    """The id of the demo's run in the registry."""
    run = local.resolve(RUN)
    with UploadJob(registry, OWNED, Labels("mine"), pack_run(local, run.id), run.id) as job:
        done = job.run()
    fake.calls.clear()
    fake.ranges.clear()
    return done.artifact_id


def opened(registry: Registry, wanted: Reference = BY_NAME) -> ArtifactStore:
    return open_remote(registry, wanted).store


def place_of(fake: FakeRegistry, artifact_id: str, name: str) -> tuple[int, int]:
    offset, size = fake.artifacts[artifact_id]["file_index"][name]
    return offset, size


def test_a_run_opens_with_few_requests_and_little_more_than_its_database(
    registry: Registry, fake: FakeRegistry, uploaded: str, local: Store
) -> None:
    store = opened(registry)
    assert fake.calls["requests"] <= 8
    _, packed = place_of(fake, uploaded, "exp.db.zip")
    assert sum(end - start for start, end in fake.ranges) <= packed + (64 << 10)
    run, own = store.resolve("latest"), local.resolve(RUN)
    assert (run.id, run.name) == (own.id, "support-agent-v3")
    assert run.ask(counts.counts) == own.ask(counts.counts)
    assert store.why_read_only == "mine is a run in the registry, a copy: annotate the run itself"
    store.close()


def test_an_attachment_is_fetched_when_it_is_looked_at_and_only_once(
    registry: Registry, fake: FakeRegistry, uploaded: str, local: Store
) -> None:
    store = opened(registry)
    run, own = store.resolve("latest"), local.resolve(RUN)
    listed = own.attachments()
    assert listed is not None
    assert [one.path for one in run.attachments().files] == [one.path for one in listed.files]  # type: ignore[union-attr]
    fake.ranges.clear()
    one = listed.files[0]
    for _ in range(2):
        assert run.files.path(one.path).read_bytes() == own.files.path(one.path).read_bytes()
    assert [end - start for start, end in fake.ranges] == [one.disk_size_bytes]
    store.close()


@pytest.fixture
def large(
    registry: Registry, fake: FakeRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[OpenRun]:
    """A run in the registry with attachments that are too large to be fetched for a look."""
    monkeypatch.setattr("flowtui.registry.ranges.MAX_FETCHED_BYTES", 300_000)
    monkeypatch.setattr("flowtui.store.archive.opening.MAX_FETCHED_BYTES", 200)
    monkeypatch.setattr(in_pieces, "PIECE_BYTES", 262_144)
    with writer(tmp_path / "large") as made:
        made.start_run("run-1", "large")
        with made.experiment("run-1") as experiment:
            lines = "".join(f"{number},{number * number}\n" for number in range(1_500_000))
            experiment.attachment("rows.csv", f"n,square\n{lines}".encode())
            experiment.attachment("a.npy", b"\x93NUMPY" + b"x" * 5_000)
            experiment.attachment("a.png", b"\x89PNG\r\n\x1a\n" + b"x" * 5_000)
    local = open_store(tmp_path / "large")
    pack = pack_run(local, "run-1")
    with UploadJob(registry, OWNED, Labels("large"), pack, "run-1") as job:
        done = job.run()
    fake.ranges.clear()
    with closing(opened(registry, Reference(artifact_id=done.artifact_id))) as store:
        fake.ranges.clear()
        yield store.resolve("latest")


def test_a_large_attachment_is_not_fetched_whole(large: OpenRun) -> None:
    with pytest.raises(AttachmentRefused, match="`flow-tui registry pull`"):
        large.files.path("rows.csv")


def test_of_a_large_attachment_the_pieces_are_fetched_that_are_looked_at(
    large: OpenRun, fake: FakeRegistry
) -> None:
    path = large.files.glance("rows.csv")
    assert path == large.files.glance("rows.csv")
    first = preview(path, "rows.csv", Request(count=10), never).shown
    assert isinstance(first, TablePage)
    assert first.rows[9] == ("9", "81")
    last = preview(path, "rows.csv", Request(count=10, is_last=True), never).shown
    assert isinstance(last, TablePage)
    assert last.rows[-1] == ("1499999", "2249997000001")
    size = path.stat().st_size
    assert sum(end - start for start, end in fake.ranges) < size / 4
    with files.opened(path) as file:
        assert files.read_at(file, 250, 7) == files.read_at(file, 250, 7)
        assert files.read_at(file, size - 1, 50) == b"\n"
        assert files.read_at(file, size + 5, 50) == b""
        assert len(files.read_at(file, 0, size)) == size


def test_what_takes_the_whole_file_says_so_of_a_large_one(large: OpenRun) -> None:
    with pytest.raises(PreviewFailed, match="read whole only"):
        preview(large.files.glance("a.png"), "a.png", Request(), never)


def test_a_piece_that_cannot_be_fetched_is_no_end_of_the_file(
    large: OpenRun, fake: FakeRegistry
) -> None:
    path = large.files.glance("rows.csv")
    fake.faults.looks = ["403"] * 20
    with pytest.raises(PreviewFailed, match="cannot be fetched"):
        preview(path, "rows.csv", Request(), never)


def test_a_second_opening_reads_nothing_again(
    registry: Registry, fake: FakeRegistry, uploaded: str
) -> None:
    opened(registry).close()
    fake.ranges.clear()
    opened(registry, Reference(artifact_id=uploaded)).close()
    assert fake.ranges == []
    del fake.artifacts[uploaded]
    with pytest.raises(NotFound):
        opened(registry)


def test_out_of_reach_it_opens_from_what_was_read(
    registry: Registry, fake: FakeRegistry, uploaded: str
) -> None:
    with (
        Registry(Secret(KEY), "http://127.0.0.1:9", patience=QUICK) as away,
        pytest.raises(Unreachable),
    ):
        open_remote(away, BY_NAME)
    opened(registry).close()
    shutil.copytree(cache._registry(fake.url), cache._registry("http://127.0.0.1:9"))
    with Registry(Secret(KEY), "http://127.0.0.1:9", patience=QUICK) as away:
        found = open_remote(away, BY_NAME)
        assert found.offline_since_s is not None
        assert 0 <= found.offline_since_s < 600
        assert found.store.resolve("latest").name == RUN
        file = found.store.resolve("latest").attachments().files[0]  # type: ignore[union-attr]
        with pytest.raises(AttachmentRefused, match="out of reach"):
            found.store.resolve("latest").files.path(file.path)
        found.store.close()


def test_the_cache_is_private_holds_no_secret_and_can_be_cleared(
    registry: Registry, uploaded: str, cache_directory: Path
) -> None:
    opened(registry).close()
    folders = [path for path in cache_directory.rglob("*") if path.is_dir()]
    assert len(folders) == 3
    assert {path.stat().st_mode & 0o777 for path in folders} == {0o700}
    for path in cache_directory.rglob("*"):
        assert path.is_dir() or (KEY.encode() not in path.read_bytes())
        assert path.is_dir() or (b"X-Amz-" not in path.read_bytes())
    assert cache.size_bytes() > 1_000
    cache.clear()
    assert cache.size_bytes() == 0


def test_the_cache_keeps_what_was_used_last(
    registry: Registry, fake: FakeRegistry, uploaded: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(registry).close()
    fake.artifacts["other"] = {**fake.artifacts[uploaded], "id": "other", "name": "two"}
    fake.stored["other"] = fake.stored[uploaded]
    monkeypatch.setattr(cache, "MAX_BYTES", 1)
    opened(registry, replace(BY_NAME, name="two")).close()
    assert [one.artifact.name for one in cache.kept(registry.base_url)] == ["two"]


@pytest.mark.parametrize("fault", ["drop", "500", "403"])
@pytest.mark.parametrize("number", [0, 1])
def test_a_broken_read_is_gone_on_with(
    registry: Registry, fake: FakeRegistry, uploaded: str, fault: str, number: int
) -> None:
    fake.faults.looks = ["ok"] * number + [fault]
    opened(registry).close()


def test_a_file_that_was_written_again_is_read_anew(
    registry: Registry, fake: FakeRegistry, uploaded: str, local: Store
) -> None:
    store = opened(registry)
    data = bytearray(fake.stored[uploaded])
    data[-1] ^= 1
    fake.stored[uploaded] = bytes(data)
    run = store.resolve("latest")
    file = run.attachments().files[0]  # type: ignore[union-attr]
    with pytest.raises(AttachmentRefused, match="another one by now"):
        run.files.path(file.path)
    store.close()
    fake.ranges.clear()
    again = opened(registry)
    assert len(fake.ranges) == 2
    assert again.resolve("latest").files.path(file.path).stat().st_size == file.disk_size_bytes
    again.close()


def test_a_file_of_another_length_is_not_opened(
    registry: Registry, fake: FakeRegistry, uploaded: str
) -> None:
    fake.stored[uploaded] += b"x"
    with pytest.raises(StoredChanged, match="as was said"):
        opened(registry)


def test_a_storage_without_ranges_is_noticed_and_asked_about(
    registry: Registry, fake: FakeRegistry, uploaded: str
) -> None:
    fake.faults.ignores_ranges = True
    with pytest.raises(RangesIgnored):
        opened(registry)
    asked: list[int] = []

    def may_download(size_bytes: int) -> bool:
        asked.append(size_bytes)
        return True

    store = open_remote(registry, BY_NAME, may_download=may_download).store
    assert asked == [len(fake.stored[uploaded])]
    assert store.resolve("latest").name == RUN
    store.close()


def test_a_right_that_is_missing_is_named(
    registry: Registry, fake: FakeRegistry, uploaded: str
) -> None:
    fake.faults.rights = ("list",)
    with pytest.raises(NotAllowed, match=r"the right artifact\.read"):
        opened(registry)
    fake.faults.rights = ("read",)
    with pytest.raises(NotAllowed, match=r"the right artifact\.list"):
        opened(registry)
    by_address = Reference("org-1", "orb-1", "col-1", uploaded)
    opened(registry, by_address).close()


def test_names_that_lead_nowhere_or_to_several_say_so(
    registry: Registry, fake: FakeRegistry, uploaded: str
) -> None:
    with pytest.raises(NotFound, match="no orbit 'x' that you may see; there are: Vision, Shared"):
        opened(registry, replace(BY_NAME, orbit="x"))
    with pytest.raises(NotFound, match="no artifact vision/Baselines/min that"):
        opened(registry, replace(BY_NAME, name="min"))
    fake.artifacts["other"] = {**fake.artifacts[uploaded], "id": "other"}
    with pytest.raises(NotFound, match=r"is the name of 2: give one of the ids .*other"):
        opened(registry)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ({"exp.db.zip": [0, 10**12]}, "points outside"),
        ({"exp.db.zip": [-1, 10]}, "points outside"),
        ({"exp.db.zip": ["0", 10]}, "without an experiment"),
        ({}, "without an experiment"),
        (None, "without an experiment"),
        ({"exp.db.zip": [0, 512]}, "damaged"),
    ],
)
def test_an_index_that_makes_no_sense_opens_nothing(
    registry: Registry, fake: FakeRegistry, uploaded: str, index: object, message: str
) -> None:
    fake.artifacts[uploaded]["file_index"] = index
    with pytest.raises(ArtifactError, match=message):
        opened(registry)


def test_an_artifact_that_is_not_uploaded_is_not_opened(
    registry: Registry, fake: FakeRegistry, uploaded: str
) -> None:
    fake.artifacts[uploaded]["status"] = "pending_upload"
    with pytest.raises(ArtifactError, match="is not there: the registry says pending_upload"):
        opened(registry)


@pytest.mark.parametrize("step", range(6))
def test_a_link_that_breaks_for_good_in_any_request_is_told(
    registry: Registry, fake: FakeRegistry, uploaded: str, step: int
) -> None:
    fake.faults.breaks_after = step
    with pytest.raises((RegistryError, StorageFailed)):
        opened(registry)
    fake.faults.breaks_after = None
    opened(registry).close()


def test_a_download_goes_on_where_it_broke_and_is_compared_with_its_checksum(
    registry: Registry, fake: FakeRegistry, uploaded: str, tmp_path: Path
) -> None:
    from flowtui.registry.errors import NotVerified
    from flowtui.registry.opening import ranged
    from flowtui.registry.ranges import no_news

    one = artifacts.find(registry, BY_NAME)
    folder = cache.folder(registry.base_url, one)
    target = tmp_path / "x.luml"
    partial = tmp_path / f"x.luml.{one.file_hash[:12]}.part"
    partial.write_bytes(fake.stored[uploaded][:1_000])
    with ranged(one, folder, registry, no_news) as source:
        source.download(target, one.file_hash)
    assert target.read_bytes() == fake.stored[uploaded]
    assert [start for start, _ in fake.ranges] == [1_000]
    partial.write_bytes(b"x" * 1_000)
    with ranged(one, folder, registry, no_news) as source, pytest.raises(NotVerified):
        source.download(target, one.file_hash)
    assert not partial.exists()


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("luml:a/b/c/d", Reference(orbit="a", collection="b", name="c/d")),
        ("luml:art-1", Reference(artifact_id="art-1")),
        ("0b9f6f5e-1111-2222-3333-444455556666",
         Reference(artifact_id="0b9f6f5e-1111-2222-3333-444455556666")),
        ("https://luml.example/organization/o/orbit/b/collection/c/artifacts/a/data?x=1",
         Reference("o", "b", "c", "a")),
        ("support-agent-v3", None),
        ("https://luml.example/organization/o", None),
    ],
)  # fmt: skip
def test_what_a_word_names(word: str, wanted: Reference | None) -> None:
    assert reference(word) == wanted


@pytest.mark.parametrize("word", ["luml:", "luml:a/b", "luml:a//c"])
def test_a_word_that_only_begins_like_one_says_so(word: str) -> None:
    with pytest.raises(NotFound, match="ORBIT/COLLECTION/NAME"):
        reference(word)


def test_what_is_kept_is_read_again_as_it_was(registry: Registry, uploaded: str) -> None:
    one = artifacts.find(registry, BY_NAME)
    cache.folder(registry.base_url, one)
    (kept,) = cache.kept(registry.base_url)
    assert json.dumps(dict(kept.artifact.manifest)) == json.dumps(dict(one.manifest))
    assert kept.artifact.members == one.members
    assert (kept.artifact.label, kept.artifact.id) == (one.label, one.id)
