"""Runs in the registry, from the shell: the list, each command on one of them, and downloads."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import open_store
from tests.unit.cli.test_cli_outside import run
from tests.unit.fake_registry import KEY, SIGNATURE, FakeRegistry, served

pytestmark = pytest.mark.slow

RUN = "support-agent-v3"
REMOTE = "luml:Vision/Baselines/mine"


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeRegistry]:
    monkeypatch.setenv("LUML_API_KEY", KEY)
    monkeypatch.setenv("FLOW_TUI_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("FLOW_TUI_STATE", str(tmp_path / "state"))
    with served() as registry:
        monkeypatch.setenv("LUML_BASE_URL", registry.url)
        yield registry
        assert registry.complaints == []


@pytest.fixture
def uploaded(fake: FakeRegistry, demo_copy: Path) -> Path:
    """A store of which a run was uploaded as `mine`."""
    done = run("upload", RUN, "-s", demo_copy, "--orbit", "Vision", "--collection", "Baselines",
               "--name", "mine", "--tag", "best", "--yes")  # fmt: skip
    assert done.returncode == 0, done.stderr
    return demo_copy


def ran(*words: object) -> str:
    done = run(*words)
    assert done.returncode == 0, done.stderr
    assert not [told for told in (KEY, SIGNATURE) if told in done.stdout + done.stderr]
    return done.stdout


def refusal(*words: object, code: int = 1) -> str:
    done = run(*words)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert not [told for told in (KEY, SIGNATURE) if told in done.stderr]
    return done.stderr.splitlines()[-1]


@pytest.mark.parametrize("command", ["show", "metrics", "traces", "evals"])
def test_commands_print_the_same_by_range_as_of_the_file(
    uploaded: Path, tmp_path: Path, command: str
) -> None:
    file = tmp_path / "mine.luml"
    ran("registry", "pull", REMOTE, "-o", file)
    remote, local = (json.loads(ran(command, one, "--json")) for one in (REMOTE, file))
    if command == "show":
        # A file that lies here says nothing of the registry.
        assert (remote.pop("upload_status"), local.pop("upload_status")) == ("uploaded", None)
    assert remote == local


def test_runs_are_listed(fake: FakeRegistry, uploaded: Path, tmp_path: Path) -> None:
    header, row = ran("registry", "-s", uploaded).splitlines()
    assert header.split() == ["NAME", "ORBIT", "/", "COLLECTION", "SIZE", "UPLOADED", "BY", "HERE",
                              "TAGS", "ID"]  # fmt: skip
    assert row.strip().startswith("mine  Vision / Baselines  ")
    assert row.endswith("  Ann  yes   best  art-1")
    (document,) = json.loads(ran("registry", "--json", "-s", tmp_path / "none"))
    assert document["reference"] == REMOTE
    assert (document["is_in_store"], document["tags"]) == (None, ["best"])
    assert document["run_id"] == open_store(uploaded).resolve(RUN).id
    assert json.loads(ran("registry", "--json", "--search", "other", "--orbit", "vision")) == []
    assert json.loads(ran("registry", "--json", "--collection", "everything")) == []
    fake.artifacts["two"] = {**fake.artifacts["art-1"], "id": "two", "name": "a"}
    named = [one["name"] for one in json.loads(ran("registry", "--json", "--sort", "name"))]
    assert named == ["a", "mine"]
    assert len(json.loads(ran("registry", "--json", "--limit", 1))) == 1
    assert "--sort 'x' is not one of" in refusal("registry", "--sort", "x", code=2)
    assert "no orbit 'x'" in refusal("registry", "--orbit", "x", code=2)


def test_a_right_that_is_missing_is_named(fake: FakeRegistry, uploaded: Path) -> None:
    fake.faults.rights = ("read",)
    fake.faults.orbit_count = 1
    assert "you lack the right artifact.list" in refusal("registry")
    fake.faults.rights = ("list",)
    assert "you lack the right artifact.read" in refusal("show", REMOTE)


def test_an_address_and_an_id_name_it_too(fake: FakeRegistry, uploaded: Path) -> None:
    page = "organization/org-1/orbit/orb-1/collection/col-1/artifacts/art-1"
    for word in ("luml:art-1", f"https://luml.example/{page}"):
        assert json.loads(ran("show", word, "--json"))["name"] == RUN


def test_what_is_nowhere_says_so(fake: FakeRegistry, uploaded: Path) -> None:
    assert "no artifact Vision/Baselines/x that you may see" in refusal(
        "show", "luml:Vision/Baselines/x"
    )
    nobody = "0b9f6f5e-1111-2222-3333-444455556666"
    assert "nor has the registry an artifact of that id" in refusal("show", nobody, "-s", uploaded)
    assert "ORBIT/COLLECTION/NAME" in refusal("show", "luml:a/b")


def test_a_run_of_the_store_comes_before_one_of_the_registry(
    fake: FakeRegistry, uploaded: Path
) -> None:
    fake.calls.clear()
    ran("show", open_store(uploaded).resolve(RUN).id, "-s", uploaded)
    assert fake.calls["requests"] == 0


def test_a_local_run_is_compared_with_the_uploaded_one(uploaded: Path) -> None:
    told = json.loads(ran("compare", RUN, REMOTE, "-s", uploaded, "--json"))
    assert [one["name"] for one in told["runs"]] == [RUN, RUN]


def test_a_pulled_run_is_one_of_the_store(
    fake: FakeRegistry, uploaded: Path, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    run_id = open_store(uploaded).resolve(RUN).id
    assert ran("registry", "pull", REMOTE, "--into-store", "-s", store).startswith(
        f"{run_id}  mine"
    )
    of_both = [json.loads(ran("show", run_id, "--json", "-s", one)) for one in (uploaded, store)]
    for name in ("id", "name", "status", "tags", "params", "metrics", "counts"):
        assert of_both[0][name] == of_both[1][name], name
    names = [
        sorted(
            str(path.relative_to(one / run_id))
            for path in (one / run_id / "attachments").rglob("*")
        )
        for one in (uploaded, store)
    ]
    assert names[0] == names[1]
    again = refusal("registry", "pull", REMOTE, "--into-store", "-s", store)
    assert f"has the run {run_id} already" in again


def test_what_came_is_compared_with_its_checksum(
    fake: FakeRegistry, uploaded: Path, tmp_path: Path
) -> None:
    fake.artifacts["art-1"]["file_hash"] = "0" * 64
    assert "its checksum is another one" in refusal(
        "registry", "pull", REMOTE, "-o", tmp_path / "x"
    )
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == []


def test_only_a_file_is_replaced_by_a_pulled_run(
    fake: FakeRegistry, uploaded: Path, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    said = refusal("registry", "pull", REMOTE, "-o", tmp_path / "pipe", code=2)
    assert "pipe is not a file, so it is not replaced" in said
    assert (tmp_path / "pipe").is_fifo()
    (tmp_path / "link").symlink_to(tmp_path / "file")
    ran("registry", "pull", REMOTE, "-o", tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_bytes()[257:262] == b"ustar"


def test_the_cache_is_told_of_and_cleared(uploaded: Path, tmp_path: Path) -> None:
    ran("show", REMOTE)
    assert ran("cache").startswith(str(tmp_path / "cache" / "registry"))
    assert ran("cache", "--clear").endswith("  0 B\n")
    shutil.rmtree(tmp_path / "cache", ignore_errors=True)
