"""Uploads against a registry on the loopback: what arrives, and what is left when things fail."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from flowtui.registry.client import Registry
from flowtui.registry.errors import (
    NotAllowed,
    NotVerified,
    RegistryBroken,
    RegistryError,
    StorageFailed,
    Unreachable,
    UploadCancelled,
)
from flowtui.registry.http import RequestPatience
from flowtui.registry.progress import Phase
from flowtui.registry.upload import UploadJob, file_name
from flowtui.registry.values import Labels, Secret
from flowtui.store.archive.values import ArtifactInfo, OnProgress, Slice
from flowtui.store.cancelling import Cancelled
from tests.unit.fake_registry import DESTINATION, KEY, SIGNATURE, FakeRegistry, served
from tests.unit.stores import until

QUICK = RequestPatience(first_pause_s=0.001, longest_pause_s=0.002)
SMALL, LARGE = 200_000, 730_000
"""Bytes of a file that goes in one piece, and of one that goes in parts."""


@pytest.fixture
def fake() -> Iterator[FakeRegistry]:
    with served() as registry:
        yield registry
        assert registry.complaints == []


@pytest.fixture
def registry(fake: FakeRegistry) -> Iterator[Registry]:
    with Registry(Secret(KEY), fake.url, patience=QUICK) as opened:
        yield opened


def content(size_bytes: int) -> bytes:
    return (bytes(range(251)) * (size_bytes // 251 + 1))[:size_bytes]


def job_of(registry: Registry, folder: Path, size_bytes: int) -> UploadJob:
    path = folder / "artifact.luml"
    path.write_bytes(content(size_bytes))
    manifest = {"payload": {"local_experiment_id": "run-1"}}

    def pack(target: Path, cancelled: Cancelled, progress: OnProgress) -> ArtifactInfo:
        return ArtifactInfo(path, size_bytes, manifest, {"manifest.json": Slice(512, 7)})

    labels = Labels("resnet\0 — 日本", "what it is", ("a", "b"))
    return UploadJob(registry, DESTINATION, labels, pack, "run 1/x")


def uploaded(job: UploadJob, fake: FakeRegistry, size_bytes: int) -> None:
    """Run a job to its end and assert that everything arrived, once, and is said to have."""
    done = job.run()
    assert done.is_verified
    assert fake.stored[done.artifact_id] == content(size_bytes)
    assert fake.artifacts[done.artifact_id]["status"] == "uploaded"
    assert fake.statuses().count("uploaded") == 1
    progress = job.progress
    assert (progress.phase, progress.fraction) == (Phase.DONE, 1)
    job.close()


@pytest.mark.parametrize("size", [1, SMALL, LARGE], ids=["one byte", "one piece", "parts"])
@pytest.mark.parametrize("kind", ["s3", "azure"])
def test_an_artifact_arrives_whole(
    registry: Registry, fake: FakeRegistry, tmp_path: Path, size: int, kind: str
) -> None:
    fake.faults.kind = kind
    uploaded(job_of(registry, tmp_path, size), fake, size)
    (entry,) = fake.artifacts.values()
    assert entry["name"] == "resnet — 日本"
    assert entry["file_name"] == "run-1-x.luml"
    assert entry["file_index"] == {"manifest.json": [512, 7]}
    assert len(entry["file_hash"]) == 64
    assert (entry["size"], entry["tags"], entry["extra_values"]) == (size, ["a", "b"], {})


@pytest.mark.parametrize(
    "puts", [["drop"], ["500"], ["drop", "500", "drop", "500"]], ids=["drop", "500", "four times"]
)
@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["one piece", "parts"])
def test_what_passes_is_tried_again(
    registry: Registry, fake: FakeRegistry, tmp_path: Path, size: int, puts: list[str]
) -> None:
    fake.faults.puts = puts
    uploaded(job_of(registry, tmp_path, size), fake, size)
    assert fake.calls["create"] == 1


def test_a_storage_that_stays_broken_fails_and_can_be_gone_on_with(
    registry: Registry, fake: FakeRegistry, tmp_path: Path
) -> None:
    fake.faults.puts = ["500"] * 5
    job = job_of(registry, tmp_path, SMALL)
    with pytest.raises(StorageFailed, match=r"the storage failed \(500\): Refused"):
        job.run()
    assert job.progress.phase is Phase.FAILED
    assert fake.statuses() == ["pending_upload"]
    uploaded(job, fake, SMALL)
    assert fake.calls["create"] == 1


def test_parts_that_got_through_are_not_sent_again(
    registry: Registry, fake: FakeRegistry, tmp_path: Path
) -> None:
    fake.faults.puts = ["ok"] * 4 + ["late"]
    job = job_of(registry, tmp_path, LARGE)

    def refuse_when_all_others_are_there() -> None:
        until(lambda: len(fake.parts.get("art-1", ())) == 7, "the other parts")
        fake.released.set()

    refusing = threading.Thread(target=refuse_when_all_others_are_there)
    refusing.start()
    with pytest.raises(StorageFailed):
        job.run()
    refusing.join()
    before = fake.calls["put"]
    uploaded(job, fake, LARGE)
    # The refused one, and those last ones whose answers came when it had been told to end.
    assert fake.calls["put"] - before <= 4


def test_a_part_whose_url_is_too_old_gets_a_fresh_one(
    registry: Registry, fake: FakeRegistry, tmp_path: Path
) -> None:
    fake.faults.puts = ["ok", "403"]
    uploaded(job_of(registry, tmp_path, LARGE), fake, LARGE)
    assert (fake.calls["create"], fake.calls["parts"]) == (1, 2)


def test_one_piece_whose_url_is_too_old_gets_a_new_entry(
    registry: Registry, fake: FakeRegistry, tmp_path: Path
) -> None:
    fake.faults.puts = ["403"]
    uploaded(job_of(registry, tmp_path, SMALL), fake, SMALL)
    until(lambda: sorted(fake.statuses()) == ["upload_failed", "uploaded"], "the mark")


@pytest.mark.parametrize("fault", ["error", "lost"])
def test_putting_parts_together_is_tried_again(
    registry: Registry, fake: FakeRegistry, tmp_path: Path, fault: str
) -> None:
    fake.faults.completes = [fault]
    uploaded(job_of(registry, tmp_path, LARGE), fake, LARGE)


@pytest.mark.parametrize("fault", ["drop", "lost"])
def test_only_the_confirming_is_done_again(
    registry: Registry, fake: FakeRegistry, tmp_path: Path, fault: str
) -> None:
    fake.faults.confirms = [fault] * 2
    uploaded(job_of(registry, tmp_path, SMALL), fake, SMALL)
    assert fake.calls["put"] == 1


def test_a_registry_gone_at_the_confirming_is_asked_again_and_nothing_is_sent_twice(
    registry: Registry, fake: FakeRegistry, tmp_path: Path
) -> None:
    fake.faults.confirms = ["drop"] * 5
    job = job_of(registry, tmp_path, SMALL)
    with pytest.raises(Unreachable):
        job.run()
    uploaded(job, fake, SMALL)
    assert fake.calls["put"] == 1


def test_fewer_bytes_than_sent_are_never_called_uploaded(
    registry: Registry, fake: FakeRegistry, tmp_path: Path
) -> None:
    fake.faults.puts = ["short"]
    job = job_of(registry, tmp_path, SMALL)
    with pytest.raises(NotVerified, match="holds 199,999 of 200,000 bytes"):
        job.run()
    job.close()
    assert fake.statuses() == ["upload_failed"]


def test_a_server_that_tells_only_afterwards_is_verified_afterwards(
    registry: Registry, fake: FakeRegistry, tmp_path: Path
) -> None:
    fake.faults.download_only_when_uploaded = True
    uploaded(job_of(registry, tmp_path, SMALL), fake, SMALL)
    fake.faults.puts = ["short"]
    with job_of(registry, tmp_path, SMALL) as job, pytest.raises(NotVerified):
        job.run()
    assert fake.statuses() == ["uploaded"]


def test_an_owner_who_may_not_look_is_told(
    registry: Registry, fake: FakeRegistry, tmp_path: Path
) -> None:
    fake.faults.forbids_download = True
    with job_of(registry, tmp_path, SMALL) as job:
        assert not job.run().is_verified


def test_a_file_too_large_for_a_member_names_who_can_help(
    registry: Registry, fake: FakeRegistry, tmp_path: Path
) -> None:
    fake.faults.forbids_parts = True
    with job_of(registry, tmp_path, LARGE) as job, pytest.raises(NotAllowed, match="admin"):
        job.run()
    assert fake.statuses() == ["upload_failed"]


@pytest.mark.parametrize("fault", ["500", "drop"])
def test_an_entry_is_asked_for_once(
    registry: Registry, fake: FakeRegistry, tmp_path: Path, fault: str
) -> None:
    fake.faults.create = fault
    job = job_of(registry, tmp_path, SMALL)
    with job, pytest.raises((RegistryBroken, Unreachable), match="an entry may have been made"):
        job.run()
    assert fake.calls["create"] == 1


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["one piece", "parts"])
def test_cancelling_ends_a_stalled_upload_and_marks_it(
    registry: Registry, fake: FakeRegistry, tmp_path: Path, size: int
) -> None:
    fake.faults.puts = ["stall"] * 4
    job = job_of(registry, tmp_path, size)
    outcome: list[Exception] = []

    def work() -> None:
        try:
            job.run()
        except RegistryError as error:
            outcome.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    assert fake.stalled.wait(10)
    assert job.progress.phase is Phase.SENDING
    job.cancel()
    thread.join(1)
    assert not thread.is_alive()
    assert isinstance(outcome[0], UploadCancelled)
    assert job.progress.phase is Phase.CANCELLED
    fake.released.set()
    until(lambda: fake.statuses() == ["upload_failed"], "the mark")
    fake.faults.puts.clear()
    uploaded(job, fake, size)


@pytest.mark.parametrize("step", ["create", "begins", "puts", "completes", "looks", "confirms"])
def test_wherever_it_breaks_no_entry_claims_what_is_not_there(
    registry: Registry, fake: FakeRegistry, tmp_path: Path, step: str
) -> None:
    if step == "create":
        fake.faults.create = "500"
    else:
        broken = {"confirms": "drop", "completes": "error"}.get(step, "500")
        setattr(fake.faults, step, [broken] * 60)
    job = job_of(registry, tmp_path, LARGE)
    with pytest.raises(RegistryError) as caught:
        job.run()
    job.close()
    assert "uploaded" not in fake.statuses()
    shown = "".join(
        traceback.TracebackException.from_exception(caught.value, capture_locals=True).format()
    )
    assert str(caught.value)
    assert KEY not in shown
    assert SIGNATURE not in shown


@pytest.mark.parametrize("puts", [["403"] * 20, ["drop"] * 60, ["400"]])
def test_no_key_and_no_signed_url_is_ever_told(
    registry: Registry,
    fake: FakeRegistry,
    tmp_path: Path,
    puts: list[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    fake.faults.puts = puts
    job = job_of(registry, tmp_path, LARGE)
    with job, pytest.raises(RegistryError) as caught:
        job.run()
    error: BaseException | None = caught.value
    told = [caplog.text, repr(job), repr(registry), repr(vars(registry)), repr(vars(job))]
    while error is not None:
        told += [repr(error), str(error), repr(vars(error))]
        told += traceback.TracebackException.from_exception(error, capture_locals=True).format()
        error = error.__context__
    assert not [text for text in told if KEY in text or SIGNATURE in text]


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("a1b2", "a1b2.luml"),
        ("a b:c*#d'e.luml", "a-b-c-d-e.luml"),
        ("日本", "artifact.luml"),
        ("../../x", "x.luml"),
    ],
)
def test_file_names_are_what_the_registry_takes(word: str, name: str) -> None:
    assert file_name(word) == name
