"""The command line: what it prints, what it says when something is wrong, and its exit codes."""

from __future__ import annotations

import gc
import json
import os
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import pytest

from flowtui import __version__
from flowtui.__main__ import main, read_opening
from flowtui.cli.commands import cli
from flowtui.cli.commands.parsing import with_command
from flowtui.cli.opening import COMMANDS, Opening
from flowtui.reports.runs import table
from flowtui.store.natural import sort_key
from tests.unit.stores import one_run, writer


@dataclass(frozen=True)
class Done:
    """What a command left."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line that it says on stderr."""
        assert self.err.startswith("flow-tui: ")
        assert self.err.count("\n") == 1
        return self.err.removeprefix("flow-tui: ").rstrip("\n")


Run = Callable[..., Done]


@pytest.fixture
def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Run]:
    """Runs the program in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run_here(*arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["flow-tui", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        out, err = capsys.readouterr()
        return Done(int(left.value.code or 0), out, err)

    yield run_here
    gc.enable()


def strictly(text: str) -> Any:
    """Parse JSON as the standard has it: no NaN, no infinities."""

    def refuse(constant: str) -> NoReturn:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


def names(done: Done) -> list[str]:
    assert done.code == 0
    return [document["name"] for document in strictly(done.out)]


# Which words are commands ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("", "open"),
        ("some", "open some"),
        ("-s dir some", "open -s dir some"),
        ("--read-only", "open --read-only"),
        ("list --json", "list --json"),
        ("-s dir list --json", "list -s dir --json"),
        ("-s list", "open -s list"),
        ("--store=dir show run", "show --store=dir run"),
        ("open list", "open list"),
        ("-- list", "open -- list"),
        ("some list", "open some list"),
        ("--version", "--version"),
        ("show --version", "--version"),
        ("-s dir list --json --version", "--version"),
        ("open -- --version", "open -- --version"),
        ("--help", "--help"),
        ("run some --version", "run some --version"),
        ("-s dir run --name a some --version", "run -s dir --name a some --version"),
        ("--version run some", "--version run some"),
        ("-s run list --version", "--version"),
    ],
)
def test_the_first_word_is_a_command_or_a_run(words: str, meant: str) -> None:
    assert with_command(words.split(), dict.fromkeys(COMMANDS)) == meant.split()


def test_every_command_is_known_to_the_entry_point() -> None:
    known = {command.name or command.callback.__name__ for command in cli.registered_commands}  # type: ignore[union-attr]  # all were made from functions
    assert known == set(COMMANDS)


@pytest.mark.parametrize(
    ("words", "opening"),
    [
        ("", Opening()),
        ("some", Opening("some")),
        ("-s dir some --tab evals", Opening("some", "dir", "evals")),
        (
            "some --read-only --user ana --theme ansi",
            Opening("some", read_only=True, user="ana", theme="ansi"),
        ),
        ("some --slow", Opening("some", is_slow=True)),
    ],
)
def test_opening_a_run_is_read_without_typer(words: str, opening: Opening) -> None:
    assert read_opening(words.split()) == replace(opening, may_be_command=True)


@pytest.mark.parametrize(
    "words", ["list", "-s dir show run", "one two", "--help", "--store", "some --what", "open list"]
)
def test_everything_else_is_left_to_typer(words: str) -> None:
    assert read_opening(words.split()) is None


# What is printed ---------------------------------------------------------------------------------


def test_version(run: Run) -> None:
    assert run("--version") == Done(0, f"flow-tui {__version__}\n", "")


def test_help_names_every_command(run: Run) -> None:
    done = run("--help")
    assert done.code == 0
    for command in COMMANDS:
        assert f" {command} " in done.out


def test_list_is_a_table_newest_first(run: Run, demo_directory: Path) -> None:
    done = run("list", "-s", demo_directory)
    head, *rows = done.out.splitlines()
    names = head.split()
    assert (names[:2], names[-6:]) == (
        ["id", "name"], ["status", "created", "↓", "duration", "group", "tags"]
    )  # fmt: skip
    assert {"train/loss", "lr"} <= set(names), "what differs and what most runs share"
    created = [row[head.index("created") :][:16] for row in rows]
    assert created == sorted(created, reverse=True)
    assert len(rows) == len(strictly(run("list", "-s", demo_directory, "--json").out))
    assert done.err == ""


def test_list_as_json_has_stable_keys_and_whole_values(run: Run, demo_directory: Path) -> None:
    documents = strictly(run("list", "-s", demo_directory, "--json").out)
    assert {tuple(document) for document in documents} == {
        (
            "id", "name", "status", "activity", "created_at", "last_logged_at", "duration_s",
            "group", "tags", "description", "source", "upload_status", "params", "metrics",
            "problems",
        )
    }  # fmt: skip
    (resnet,) = [document for document in documents if document["name"] == "resnet50-cosine"]
    assert len(resnet["id"]) == 36
    assert resnet["created_at"].endswith("Z")
    assert resnet["params"]["batch_size"] == 256


def test_list_is_filtered_sorted_and_cut(run: Run, demo_directory: Path) -> None:
    everything = ("list", "-s", demo_directory, "--json")
    by_name = names(run(*everything, "--sort", "name"))
    assert by_name == sorted(by_name, key=sort_key)
    assert by_name.index("lr1e-5-wd0-seed7") < by_name.index("lr1e-5-wd0-seed42")
    assert names(run(*everything, "--sort", "-name")) == by_name[::-1]
    assert names(run(*everything, "--sort", "name", "--limit", 2)) == by_name[:2]
    assert run(*everything, "--limit", 0).out == "[]\n"
    sweep = names(run(*everything, "--filter", "lr < 1e-4 and status = completed"))
    assert sweep
    assert set(sweep) < set(by_name)


def test_list_sorts_by_what_was_logged(run: Run, demo_directory: Path) -> None:
    arguments = ("list", "-s", demo_directory, "--json", "--sort", "-metric.val/accuracy")
    documents = strictly(run(*arguments).out)
    values = [document["metrics"].get("val/accuracy") for document in documents]
    present = [value for value in values if value is not None]
    assert len(present) > 1
    assert present == sorted(present, reverse=True)
    assert values == present + [None] * (len(values) - len(present))


def test_list_of_a_store_without_runs(run: Run, tmp_path: Path) -> None:
    writer(tmp_path / "store").close()
    assert run("list", "-s", tmp_path / "store").code == 0
    assert run("list", "-s", tmp_path / "store", "--json").out == "[]\n"


def test_show_says_what_a_run_is(run: Run, demo_directory: Path) -> None:
    done = run("show", "resnet50-cosine", "-s", demo_directory)
    assert done.code == 0
    for word in ("resnet50-cosine", "Parameters", "batch_size", "Metrics", "val/loss", "Logged"):
        assert word in done.out


def test_numbers_that_json_has_not_are_texts(run: Run, tmp_path: Path) -> None:
    points = {1: float("nan"), 2: float("inf"), 3: float("-inf"), 4: 0.1, 5: float("nan")}
    one_run(tmp_path / "store", {"rate": float("inf")}, {"loss": points})
    document = strictly(run("show", "run-1", "-s", tmp_path / "store", "--json").out)
    assert document["metrics"]["loss"]["last"] == {"step": 5, "value": "NaN"}
    assert document["metrics"]["loss"]["min"] == {"step": 4, "value": 0.1}
    assert (document["metrics"]["loss"]["nan_count"], document["metrics"]["loss"]["count"]) == (
        2,
        5,
    )
    (listed,) = strictly(run("list", "-s", tmp_path / "store", "--json").out)
    assert listed["metrics"] == {"loss": "NaN"}
    assert listed["params"] == {"rate": "Infinity"}


def test_show_as_json_has_stable_keys(run: Run, demo_directory: Path) -> None:
    document = strictly(run("show", "resnet50-cosine", "-s", demo_directory, "--json").out)
    assert list(document) == [
        "id", "name", "status", "activity", "created_at", "last_logged_at", "duration_s",
        "group", "tags", "description", "source", "upload_status", "params", "metrics", "models",
        "counts", "problems",
    ]  # fmt: skip
    assert set(document["counts"]) == {
        "traces", "spans", "samples", "attachments", "annotations",
    }  # fmt: skip
    assert list(document["metrics"]["val/loss"]) == [
        "count", "nan_count", "inf_count", "unreadable_count", "first", "last", "min", "max",
        "best",
    ]  # fmt: skip


def test_text_out_of_a_store_has_no_power(run: Run, tmp_path: Path) -> None:
    evil = "\x1b[2J\x1b]0;x\x07\x9b31m\u202e"
    with writer(tmp_path / "store") as store:
        store.start_run("run-1", evil, group=evil, tags=[evil], description=evil, source=evil)
        with store.experiment("run-1") as experiment:
            experiment.params({evil: evil, "nested": {evil: [evil]}})
    for command in (("list",), ("list", "--json"), ("show", "run-1"), ("show", "run-1", "--json")):
        done = run(*command, "-s", tmp_path / "store")
        assert done.code == 0
        assert done.out.replace("\n", "").isprintable()


@pytest.mark.parametrize("words", [["resnet50-cosine"], ["open", "resnet50-cosine"]])
def test_without_a_terminal_a_run_is_shown_as_text(
    run: Run, demo_directory: Path, words: list[str]
) -> None:
    shown = run("show", "resnet50-cosine", "-s", demo_directory)
    assert run("-s", demo_directory, *words) == shown


def test_without_a_terminal_and_a_run_the_runs_are_listed(run: Run, demo_directory: Path) -> None:
    assert run("-s", demo_directory) == run("list", "-s", demo_directory)


def test_a_run_that_is_called_like_a_command_opens_through_open(run: Run, tmp_path: Path) -> None:
    with writer(tmp_path / "store") as store:
        store.start_run("id-1", "list")
    assert run("list", "-s", tmp_path / "store").out.startswith("  id")
    for words in (["open", "list"], ["--", "list"]):
        assert run("-s", tmp_path / "store", *words).out.startswith("list  id-1")


# What is wrong -----------------------------------------------------------------------------------


def test_no_store(run: Run, tmp_path: Path) -> None:
    done = run("list", "-s", tmp_path / "nowhere")
    assert done.code == 1
    problem, *ways = done.err.splitlines()
    assert problem == f"flow-tui: no store of runs at {tmp_path / 'nowhere'} (--store)"
    assert ways[0].startswith("  flow-tui demo ")
    assert ways[-1].strip() == "tracker.end_experiment()"


def test_a_file_that_is_not_there(run: Run, demo_directory: Path, tmp_path: Path) -> None:
    for place in (demo_directory, tmp_path / "nowhere"):
        done = run("gone.luml", "-s", place)
        assert done.code == 1
        assert done.error == "there is no file gone.luml, and there is no run of that name"


def test_a_folder_in_the_place_of_a_file_is_said(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "dir.luml"
    folder.mkdir()
    for command in ("list", "show", "open"):
        assert f"{folder} is a folder, not a .luml file" in run(command, folder).error


def test_a_folder_that_is_no_store(run: Run, tmp_path: Path) -> None:
    done = run("-s", tmp_path)
    assert done.code == 1
    assert "it has no meta.db" in done.err
    assert "start_experiment" in done.err


def test_an_unknown_run_names_the_store_and_the_nearest(run: Run, demo_directory: Path) -> None:
    done = run("resnet50-cosin", "-s", demo_directory)
    assert done.code == 1
    assert f"no run 'resnet50-cosin' in {demo_directory}" in done.error
    assert "closest: resnet50-cosine" in done.error
    assert "`flow-tui list`" in run("zzz", "-s", demo_directory).error


def test_an_ambiguous_run_lists_the_matches(run: Run, tmp_path: Path) -> None:
    with writer(tmp_path / "store") as store:
        for run_id in ("abc-1", "abc-2", "xyz"):
            store.start_run(run_id, f"name of {run_id}")
    done = run("show", "abc", "-s", tmp_path / "store")
    assert done.code == 1
    head, *matches = done.err.splitlines()
    assert head.startswith("flow-tui: 'abc' could be any of 2 runs")
    assert sorted(matches) == [
        "  abc-1  name of abc-1  active",
        "  abc-2  name of abc-2  active",
    ]


def test_a_store_that_is_no_database(run: Run, tmp_path: Path) -> None:
    (tmp_path / "meta.db").write_bytes(b"not a database" * 100)
    done = run("list", "-s", tmp_path)
    assert done.code == 1
    assert "meta.db is not a SQLite database: it is text" in done.error


def test_a_store_whose_meta_db_is_no_file(run: Run, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "meta.db")
    done = run("list", "-s", tmp_path)
    assert (done.code, done.error) == (1, "meta.db is a pipe, not a file")


def test_a_run_whose_database_is_broken_is_shown_as_far_as_it_goes(
    run: Run, demo_copy: Path
) -> None:
    (document,) = [
        document
        for document in strictly(run("list", "-s", demo_copy, "--json").out)
        if document["name"] == "resnet50-cosine"
    ]
    for path in (demo_copy / document["id"]).glob("exp.db*"):
        path.write_bytes(b"not a database" * 100)
    text = run("show", "resnet50-cosine", "-s", demo_copy)
    assert (text.code, "exp.db is not a SQLite database" in text.error) == (1, True)
    assert "✓ completed" in text.out
    assert "exp.db is not a SQLite database" in text.out
    assert "resnet50_v1_ema.luml" in text.out, "models are in meta.db"
    as_json = run("show", "resnet50-cosine", "-s", demo_copy, "--json")
    assert as_json.code == 1
    shown = strictly(as_json.out)
    assert any("exp.db is not a SQLite database" in problem for problem in shown["problems"])


def test_a_missing_run_folder_is_told(run: Run, tmp_path: Path) -> None:
    one_run(tmp_path / "store")
    shutil.rmtree(tmp_path / "store" / "run-1")
    done = run("show", "run-1", "-s", tmp_path / "store")
    assert (done.code, done.error) == (1, "run-1/exp.db is missing")
    assert "exp.db is missing" in done.out


def test_what_can_be_read_of_a_damaged_run_is_shown(run: Run, tmp_path: Path) -> None:
    path = one_run(tmp_path, {"lr": 0.1}, {"loss": {n: float(n) for n in range(500)}})
    with closing(sqlite3.connect(path)) as connection:
        (page,) = connection.execute(
            "select rootpage from sqlite_master where name = 'dynamic_metrics'"
        ).fetchone()
        (size,) = connection.execute("pragma page_size").fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    done = run("show", "run-1", "-s", tmp_path, "--json")
    assert done.code == 1
    shown = strictly(done.out)
    assert shown["params"] == {"lr": 0.1}
    assert any("exp.db is damaged" in problem for problem in shown["problems"])
    assert shown["problems"][0] in done.error


def test_a_list_says_of_which_runs_it_could_not_read_what_it_was_asked_for(
    run: Run, tmp_path: Path
) -> None:
    with writer(tmp_path) as store:
        for name in ("sound", "lost"):
            store.start_run(name, name)
            with store.experiment(name) as experiment:
                experiment.params({"lr": 0.1})
    shutil.rmtree(tmp_path / "lost")
    assert run("list", "-s", tmp_path).code == 0
    done = run("list", "-s", tmp_path, "--json")
    assert (done.code, done.error) == (1, "lost/exp.db is missing")
    listed = {document["id"]: document for document in strictly(done.out)}
    assert listed["lost"]["problems"] == ["lost/exp.db is missing"]
    assert (listed["sound"]["params"], listed["sound"]["problems"]) == ({"lr": 0.1}, [])
    for words in (["--filter", "param.lr > 0"], ["--sort", "lr"]):
        done = run("list", "-s", tmp_path, *words)
        assert (done.code, done.error) == (1, "lost/exp.db is missing")
        assert "sound" in done.out


def test_a_filter_that_is_not_understood_names_the_place(run: Run, demo_directory: Path) -> None:
    done = run("list", "-s", demo_directory, "--filter", "accuracy >= ")
    assert done.code == 2
    assert done.error.startswith("--filter, character 13: Expected a value")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["list", "--sort", "bogus"], "--sort 'bogus' is not one of created, name"),
        (
            ["list", "--sort", "val/los"],
            'no metric or parameter "val/los" in this store; closest: val/loss',
        ),
        (
            ["list", "--sort", "attr.nosuch"],
            "--sort 'attr.nosuch': Runs have no attribute 'nosuch'",
        ),
        (
            ["list", "resnet50-cosine"],
            "'resnet50-cosine' is not a .luml file; for one run: flow-tui show resnet50-cosine, "
            "for all runs of that name: flow-tui list --filter resnet50-cosine",
        ),
        (["list", "my run"], "flow-tui show 'my run'"),
        (["list", "latest", "--json"], "'latest' is not a .luml file"),
        (["list", "."], "'.' is a folder; to name a store: flow-tui list --store ."),
        (["list", "gone.luml"], "there is no file gone.luml"),
        (["help", "lst"], "there is no command 'lst'; closest: list"),
        (["resnet50-cosine", "--tab", "bogus"], "--tab 'bogus' is not one of overview, metrics"),
        (["resnet50-cosine", "--theme", "bogus"], "--theme 'bogus' is not one of flow-dark"),
    ],
)
def test_a_word_that_is_none_of_the_known_is_wrong_usage(
    run: Run, demo_directory: Path, words: list[str], said: str
) -> None:
    done = run(*words, "-s", demo_directory)
    assert done.code == 2
    assert said in done.error
    assert done.out == ""


@pytest.mark.parametrize("word", ["lst", "trace", "doctr", "LIST", "ls", "exp"])
def test_a_mistyped_command_is_answered_with_the_command(
    run: Run, demo_directory: Path, tmp_path: Path, word: str
) -> None:
    meant = {"lst": "list", "trace": "traces", "doctr": "doctor", "exp": "export"}.get(word, "list")
    found = run(word, "-s", demo_directory)
    assert (found.code, found.out) == (2, "")
    assert f"there is no command '{word}' (closest: {meant}" in found.error
    assert f"no run '{word}' in {demo_directory}" in found.error
    nowhere = run(word, "-s", tmp_path / "nowhere")
    assert nowhere.code == 2
    assert f"(closest: {meant}" in nowhere.error
    assert "and no store of runs at" in nowhere.error
    assert f"no run '{word}'" in run("open", word, "-s", demo_directory).error


@pytest.mark.parametrize("rest", [["--json"], ["latest"], ["--sort", "name"]])
def test_a_mistyped_command_with_what_no_run_takes_is_answered_too(
    run: Run, rest: list[str]
) -> None:
    done = run("lst", *rest)
    assert done.code == 2
    assert "Is 'lst' meant for a command? Closest: list" in done.err


def test_a_run_with_the_name_of_a_mistyped_command_opens(run: Run, tmp_path: Path) -> None:
    one_run(tmp_path / "store", run_id="lst")
    one_run(tmp_path / "store", run_id="help")
    for word in ("lst", "help"):
        done = run(word, "-s", tmp_path / "store")
        assert (done.code, done.err) == (0, "")
        assert done.out.startswith(f"{word}  {word}")


@pytest.mark.parametrize(
    ("words", "usage"),
    [
        (["-h"], "[OPTIONS] COMMAND [ARGS]..."),
        (["help"], "[OPTIONS] COMMAND [ARGS]..."),
        (["help", "list"], "list [OPTIONS] [PATH]"),
        *(([command, "-h"], f"{command} [OPTIONS]") for command in COMMANDS),
    ],
)
def test_help_is_asked_for_in_any_way(run: Run, words: list[str], usage: str) -> None:
    done = run(*words)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"Usage: flow-tui {usage}")


@pytest.mark.parametrize(
    "words", [["--nonsense"], ["show"], ["list", "--limit", "-1"], ["one", "two"], ["--store"]]
)
def test_arguments_that_fit_nothing_are_wrong_usage(run: Run, words: list[str]) -> None:
    done = run(*words)
    assert done.code == 2
    assert done.err.splitlines()[-1].startswith("Error: ")
    assert done.out == ""


def test_a_table_cuts_no_wide_character_and_stands_in_line() -> None:
    assert list(table([("name", "n"), ("結果", "1"), ("結果結果結果", "2"), ("a", "3")])) == [
        "  name          n",
        "  結果          1",
        "  結果結果結果  2",
        "  a             3",
    ]
    assert list(table([("a", "b"), ("漢字", "c")]))[1] == "  漢字  c"
