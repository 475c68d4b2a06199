"""Uploads against a registry on the loopback: what arrives, and what is left when things fail."""

from __future__ import annotations

import logging
import re
import threading
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from flowtui.registry import values
from flowtui.registry.client import Registry
from flowtui.registry.errors import (
    EntrySpent,
    NotAllowed,
    NotConfirmed,
    NotVerified,
    RegistryBroken,
    RegistryError,
    StorageFailed,
    Unreachable,
    UploadCancelled,
    UploadForgotten,
)
from flowtui.registry.http import RequestPatience
from flowtui.registry.progress import Phase
from flowtui.registry.upload import UploadJob, file_name
from flowtui.registry.values import Destination, Labels, Secret
from flowtui.store.archive.values import ArtifactInfo, OnProgress, Slice
from flowtui.store.cancelling import Cancelled
from tests.unit.fake_registry import DESTINATION, KEY, OWNED, SIGNATURE, FakeRegistry, served
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


def job_of(
    registry: Registry, folder: Path, size_bytes: int, to: Destination = DESTINATION
) -> UploadJob:
    path = folder / "artifact.luml"
    path.write_bytes(content(size_bytes))
    manifest = {"payload": {"local_experiment_id": "run-1"}}

    def pack(target: Path, cancelled: Cancelled, progress: OnProgress) -> ArtifactInfo:
        return ArtifactInfo(path, size_bytes, manifest, {"manifest.json": Slice(512, 7)})

    labels = Labels("resnet\0 — 日本", "what it is", ("a", "b"))
    return UploadJob(registry, to, labels, pack, "run 1/x")


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
    with pytest.raises(NotConfirmed, match=r"all bytes of resnet\0 — 日本 \(art-1\) are there"):
        job.run()
    assert job.unconfirmed == "art-1"
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
    with job_of(registry, tmp_path, SMALL, OWNED) as job, pytest.raises(NotVerified):
        job.run()
    assert fake.statuses() == ["uploaded"]


def test_an_owner_who_may_not_look_is_told(
    registry: Registry, fake: FakeRegistry, tmp_path: Path
) -> None:
    fake.faults.forbids_download = True
    with job_of(registry, tmp_path, SMALL) as job:
        done = job.run()
    assert not done.is_verified
    assert (
        done.why_not_verified
        == "you lack the right artifact.read there; an owner of the orbit can give it"
    )


def test_a_file_too_large_for_a_member_names_who_can_help(
    registry: Registry, fake: FakeRegistry, tmp_path: Path
) -> None:
    fake.faults.forbids_parts = True
    with job_of(registry, tmp_path, LARGE) as job, pytest.raises(NotAllowed, match="admin"):
        job.run()
    assert fake.statuses() == ["upload_failed"]


def test_what_a_member_cannot_send_is_refused_before_there_is_an_entry(
    registry: Registry, fake: FakeRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(values, "LARGE_FILE_BYTES", SMALL)
    member = replace(DESTINATION, organization=replace(DESTINATION.organization, role="member"))
    assert member.why_too_large(SMALL) == ""
    with job_of(registry, tmp_path, LARGE, member) as job, pytest.raises(NotAllowed, match="admin"):
        job.run()
    assert fake.artifacts == {}


@pytest.mark.parametrize("puts", [["400"], ["short"]])
def test_a_failed_entry_is_removed_where_that_is_allowed(
    registry: Registry, fake: FakeRegistry, tmp_path: Path, puts: list[str]
) -> None:
    fake.faults.puts = puts
    with job_of(registry, tmp_path, SMALL, OWNED) as job, pytest.raises(RegistryError):
        job.run()
    assert (fake.artifacts, fake.stored, job.left) == ({}, {}, ())


def test_failed_tries_do_not_eat_the_quota(
    registry: Registry, fake: FakeRegistry, tmp_path: Path
) -> None:
    fake.faults.quota = 1
    for _ in range(3):
        fake.faults.puts = ["400"]
        with job_of(registry, tmp_path, SMALL, OWNED) as job, pytest.raises(StorageFailed):
            job.run()
    uploaded(job_of(registry, tmp_path, SMALL, OWNED), fake, SMALL)


@pytest.mark.parametrize(
    ("to", "fault", "why"),
    [
        (DESTINATION, "ok", "you lack the right artifact.delete"),
        (OWNED, "500", r"the storage failed \(500\)"),
    ],
    ids=["no right", "storage"],
)
def test_an_entry_that_stays_is_named(
    registry: Registry, fake: FakeRegistry, tmp_path: Path, to: Destination, fault: str, why: str
) -> None:
    fake.faults.puts = ["400"]
    fake.faults.deletes = [fault] * 9
    with job_of(registry, tmp_path, SMALL, to) as job, pytest.raises(StorageFailed):
        job.run()
    (left,) = job.left
    assert left.id == "art-1"
    assert re.match(why, left.why)


def test_an_entry_that_was_marked_as_failed_meanwhile_is_not_called_uploaded(
    registry: Registry, fake: FakeRegistry, tmp_path: Path
) -> None:
    fake.faults.confirms = ["failed"]
    job = job_of(registry, tmp_path, SMALL)
    with pytest.raises(EntrySpent, match="upload_failed"):
        job.run()
    uploaded(job, fake, SMALL)


@pytest.mark.parametrize("faults", [{"puts": ["ok", "forgotten"]}, {"completes": ["forgotten"]}])
def test_an_upload_that_the_storage_forgot_is_opened_anew_on_the_same_entry(
    registry: Registry, fake: FakeRegistry, tmp_path: Path, faults: dict[str, list[str]]
) -> None:
    for name, of in faults.items():
        setattr(fake.faults, name, of)
    uploaded(job_of(registry, tmp_path, LARGE), fake, LARGE)
    assert (fake.calls["create"], fake.calls["begin"]) == (1, 2)


def test_an_upload_that_is_forgotten_again_and_again_fails(
    registry: Registry, fake: FakeRegistry, tmp_path: Path
) -> None:
    fake.faults.completes = ["forgotten"] * 9
    with job_of(registry, tmp_path, LARGE) as job, pytest.raises(UploadForgotten):
        job.run()
    assert fake.calls["begin"] == 3


def test_a_lost_answer_to_the_putting_together_is_not_taken_for_success_without_a_look(
    registry: Registry, fake: FakeRegistry, tmp_path: Path
) -> None:
    fake.faults.completes = ["500", "forgotten"]
    with job_of(registry, tmp_path, LARGE) as job, pytest.raises(NotVerified, match="holds 0 of"):
        job.run()
    fake.faults.completes = ["500", "forgotten"]
    fake.faults.forbids_download = True
    with job_of(registry, tmp_path, LARGE) as job, pytest.raises(NotVerified, match="nor may"):
        job.run()
    assert fake.statuses().count("uploaded") == 0


@pytest.mark.parametrize(
    "faults", [{"looks": ["403"]}, {"completes": ["403"]}], ids=["download", "complete"]
)
@pytest.mark.parametrize("kind", ["s3", "azure"])
def test_a_url_that_is_too_old_is_asked_for_anew(
    registry: Registry,
    fake: FakeRegistry,
    tmp_path: Path,
    faults: dict[str, list[str]],
    kind: str,
) -> None:
    fake.faults.kind = kind
    for name, of in faults.items():
        setattr(fake.faults, name, of)
    uploaded(job_of(registry, tmp_path, LARGE), fake, LARGE)
    assert fake.calls["create"] == 1


def test_a_storage_that_does_not_tell_its_size_is_not_said_to_have_nothing(
    registry: Registry, fake: FakeRegistry, tmp_path: Path
) -> None:
    fake.faults.looks = ["no total"]
    with pytest.raises(StorageFailed, match="does not say how much"):
        job_of(registry, tmp_path, SMALL).run()


def test_a_signature_is_checked_by_the_test_storage_itself(fake: FakeRegistry) -> None:
    fake.stored["art-1"] = b"x"
    headers = {"Accept-Encoding": "identity"}
    url = fake.signed("GET", "art-1")
    assert httpx.get(url, headers=headers).status_code == 200
    assert httpx.get(url.replace("%2B", "+"), headers=headers).status_code == 403
    assert httpx.get(url.replace("n=1", "n=2"), headers=headers).status_code == 403
    fake.faults.kind = "azure"
    assert httpx.get(fake.signed("GET", "art-1"), headers=headers).status_code == 200
    assert httpx.get(fake.signed("PUT", "art-1"), headers=headers).status_code == 403
    assert len(fake.complaints) == 3
    fake.complaints.clear()


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
