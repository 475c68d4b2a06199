"""`flow-tui export`, `flow-tui upload`, and the commands on a .luml file, as a shell sees them."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from flowtui.store import uploaded
from tests.conftest import open_store
from tests.unit.artifacts import claiming
from tests.unit.cli.test_cli_outside import PROGRAM, run
from tests.unit.fake_registry import KEY, FakeRegistry, served
from tests.unit.stores import until

pytestmark = pytest.mark.slow

RUN = "support-agent-v3"
WHERE = ["--organization", "Lab", "--orbit", "Vision", "--collection", "baselines", "--yes"]


@pytest.fixture
def fake() -> Iterator[FakeRegistry]:
    with served() as registry:
        yield registry
        assert registry.complaints == []


@pytest.fixture
def exported(demo_directory: Path, tmp_path: Path) -> Path:
    target = tmp_path / "run.luml"
    done = run("export", RUN, "-s", demo_directory, "-o", target)
    assert (done.returncode, done.stdout.split("  ")[0]) == (0, str(target))
    return target


def upload(fake: FakeRegistry, store: Path, *words: str, key: str = KEY) -> tuple[int, str, str]:
    done = run("upload", RUN, "-s", store, *words, LUML_BASE_URL=fake.url, LUML_API_KEY=key)
    assert KEY not in done.stdout + done.stderr
    return done.returncode, done.stdout, done.stderr


def upload_status(store: Path) -> str | None:
    return open_store(store).resolve(RUN).row.upload_status


def test_an_export_is_named_after_the_run(demo_directory: Path, tmp_path: Path) -> None:
    done = run("export", RUN, "-s", demo_directory, cwd=tmp_path)
    (file,) = tmp_path.iterdir()
    assert file.name.startswith(f"{RUN}-")
    assert done.stdout.startswith(file.name)
    assert done.stderr.startswith(f"Packing {RUN}\n")
    again = run("export", RUN, "-s", demo_directory, cwd=tmp_path)
    assert (again.returncode, again.stdout) == (2, "")
    assert "is there already; name a file with -o" in again.stderr


def test_an_export_that_fails_is_one_line(demo_directory: Path, tmp_path: Path) -> None:
    done = run("export", RUN, "-s", demo_directory, "-o", tmp_path / "no" / "x.luml")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("flow-tui: ")


@pytest.mark.parametrize("command", ["show", "metrics", "traces", "evals"])
def test_commands_print_the_same_of_a_file_as_of_the_store(
    exported: Path, demo_directory: Path, command: str
) -> None:
    of_file = run(command, exported, "--json")
    of_store = run(command, RUN, "-s", demo_directory, "--json")
    assert (of_file.returncode, of_file.stderr) == (0, "")
    if command == "show":
        assert json.loads(of_file.stdout)["name"] == RUN
    else:
        assert of_file.stdout == of_store.stdout


def test_a_file_can_be_listed_and_opened(exported: Path) -> None:
    for words in (["list", exported], ["list", "-s", exported], [exported], ["open", exported]):
        done = run(*words)
        assert done.returncode == 0
        assert RUN in done.stdout


def test_a_file_is_listed_or_a_store(exported: Path, demo_directory: Path) -> None:
    done = run("list", exported, "-s", demo_directory)
    assert (done.returncode, done.stdout) == (2, "")
    assert "are two stores: give one" in done.stderr


def test_a_file_that_is_no_artifact_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "x.luml").write_text("x")
    done = run("show", tmp_path / "x.luml")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1


def test_a_file_that_unpacks_to_too_much_is_opened_only_if_it_is_allowed(
    exported: Path, tmp_path: Path
) -> None:
    claiming(exported, tmp_path / "x.luml")
    done = run("show", tmp_path / "x.luml")
    assert (done.returncode, done.stdout) == (1, "")
    assert "x.luml unpacks to 300 MB, " in done.stderr
    assert done.stderr.endswith("packed; --allow-large unpacks it all the same\n")
    for words in (["show"], ["list"], ["open"], []):
        done = run(*words, tmp_path / "x.luml", "--allow-large")
        assert done.stderr.endswith("is damaged: its database is shorter than it says\n")


def test_an_upload_goes_where_it_is_told_and_is_noted(fake: FakeRegistry, demo_copy: Path) -> None:
    code, out, err = upload(fake, demo_copy, *WHERE, "--name", "mine", "--json")
    assert code == 0, err
    told = json.loads(out)
    assert (told["name"], told["is_verified"]) == ("mine", True)
    assert told["collection"] == {"id": "col-1", "name": "Baselines"}
    assert fake.statuses() == ["uploaded"]
    assert len(fake.stored["art-1"]) == told["size_bytes"]
    assert upload_status(demo_copy) == "uploaded"
    (remote,) = (
        open_store(demo_copy).ask(
            uploaded.remote_artifacts, open_store(demo_copy).resolve(RUN).row.id
        )
        or ()
    )
    assert (remote.orbit_id, remote.artifact_id) == ("orb-1", told["artifact_id"])
    assert "LUML_API_KEY in the environment" in err
    assert "\x1b" not in err
    again = upload(fake, demo_copy, *WHERE)
    assert again[0] == 0
    assert "this collection has 1 copy" in again[2]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--orbit", "Vision", "--collection", "models ONLY", "--yes"],
         "--collection 'models ONLY' is there, and takes model, not experiment"),
        (["--model", "x", "--yes"], "--model 'x': the run has no logged models"),
        (["--yes"], "give --orbit: Vision, Shared"),
        (["--orbit", "Shared", "--yes"], "orbit Shared: you may not add artifacts here"),
        (["--orbit", "orb-1", "--yes"], "give --collection: Baselines, Everything"),
        (["--orbit", "vision", "--collection", "Models onl"], "is not one of these: Baselines"),
        (["--orbit", "Vision", "--collection", "col-3"], "nobody can be asked here: give --yes"),
        (["--organization", "x"], "--organization 'x' is not one of these: Lab"),
    ],
)  # fmt: skip
def test_what_is_missing_is_named_and_nothing_is_uploaded(
    fake: FakeRegistry, demo_directory: Path, words: list[str], message: str
) -> None:
    code, out, err = upload(fake, demo_directory, *words)
    assert (code, out) == (2, "")
    assert message in err
    assert fake.artifacts == {}


def test_a_look_for_copies_that_is_refused_is_said(fake: FakeRegistry, demo_copy: Path) -> None:
    fake.faults.lists = ["405"]
    code, _, err = upload(
        fake, demo_copy, *WHERE, "--description", "what", "--tag", "a", "--tag", "b"
    )
    assert code == 0, err
    assert "earlier copies could not be checked: the registry did not take it (405): no" in err
    (entry,) = fake.artifacts.values()
    assert (entry["description"], entry["tags"]) == ("what", ["a", "b"])


def test_a_lost_confirmation_is_resumed_without_sending_again(
    fake: FakeRegistry, demo_copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOW_TUI_STATE", str(tmp_path / "state"))
    fake.faults.confirms = ["drop"] * 5
    code, _, err = upload(fake, demo_copy, *WHERE, "--name", "mine")
    assert code == 1
    assert "all bytes of mine (art-1) are there, and only their confirmation is missing" in err
    assert "`flow-tui upload --resume` confirms it" in err
    assert fake.statuses() == ["pending_upload"]
    done = run("upload", "--resume", LUML_BASE_URL=fake.url, LUML_API_KEY=KEY)
    assert done.stdout == "uploaded to Lab / Vision / Baselines  art-1  mine\n", done.stderr
    assert (fake.statuses(), fake.calls["put"]) == (["uploaded"], 1)
    assert upload_status(demo_copy) == "uploaded"
    again = run("upload", "--resume", LUML_BASE_URL=fake.url, LUML_API_KEY=KEY)
    assert again.stderr == "no upload waits for its confirmation\n"


def test_what_cannot_be_confirmed_any_more_says_so(
    fake: FakeRegistry, demo_copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOW_TUI_STATE", str(tmp_path / "state"))
    fake.faults.confirms = ["drop"] * 5
    assert upload(fake, demo_copy, *WHERE)[0] == 1
    fake.stored.clear()
    done = run("upload", "--resume", LUML_BASE_URL=fake.url, LUML_API_KEY=KEY)
    assert (done.returncode, done.stdout) == (1, "")
    assert "the storage holds 0 of" in done.stderr
    assert fake.statuses() == ["pending_upload"]


def test_a_key_that_is_not_known_is_one_line(fake: FakeRegistry, demo_directory: Path) -> None:
    code, _, err = upload(fake, demo_directory, *WHERE, key="dfs_wrong")
    assert code == 1
    assert err.splitlines()[-1].startswith("flow-tui: the registry does not know this key")


def test_without_a_key_it_is_said_how_to_get_one(demo_directory: Path, tmp_path: Path) -> None:
    done = run("upload", RUN, "-s", demo_directory, HOME=str(tmp_path), cwd=tmp_path)
    assert done.returncode == 1
    assert "no key for the registry" in done.stderr


def test_a_broken_upload_is_marked_there_and_here(fake: FakeRegistry, demo_copy: Path) -> None:
    fake.faults.puts = ["400"]
    code, _, err = upload(fake, demo_copy, *WHERE)
    assert code == 1
    assert "the storage did not take it (400)" in err.splitlines()[-1]
    assert fake.statuses() == []
    assert upload_status(demo_copy) == "failed"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_stalled_upload_and_marks_it(
    fake: FakeRegistry,
    demo_copy: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
    tmp_path: Path,
) -> None:
    fake.faults.puts = ["stall"]
    (tmp_path / "temporary").mkdir()
    for name, value in {
        "LUML_BASE_URL": fake.url, "LUML_API_KEY": KEY, "TMPDIR": str(tmp_path / "temporary"),
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    words = [*PROGRAM, "upload", RUN, "-s", str(demo_copy), *WHERE]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as child:
        assert fake.stalled.wait(20)
        child.send_signal(number)
        _, err = child.communicate(timeout=10)
    assert child.returncode == 128 + number
    assert err.splitlines()[-1].startswith("flow-tui: cancelled")
    until(lambda: fake.statuses() == [], "the mark")
    assert not list((tmp_path / "temporary").iterdir())


def test_the_doctor_says_where_the_key_is_from(demo_directory: Path, tmp_path: Path) -> None:
    done = run("doctor", "-s", demo_directory, LUML_API_KEY=KEY, LUML_BASE_URL="https://x.example")
    assert "registry    https://x.example, with the key from LUML_API_KEY" in done.stdout
    assert KEY not in done.stdout
    without = run("doctor", "-s", demo_directory, HOME=str(tmp_path), cwd=tmp_path)
    assert "registry    https://api.luml.ai: no key" in without.stdout
