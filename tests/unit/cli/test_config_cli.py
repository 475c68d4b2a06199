"""`flow-tui config`, and the commands that use what config.toml says."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from flowtui.cli import telling
from flowtui.cli.commands import cli
from flowtui.person import STATE_VARIABLE
from flowtui.settings.settings import PATH_VARIABLE
from flowtui.store.errors import StoreError


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "here" / "config.toml"
    monkeypatch.setenv(PATH_VARIABLE, str(path))
    monkeypatch.setenv(STATE_VARIABLE, str(tmp_path / "state"))
    monkeypatch.setattr(telling, "_told", {})
    return path


def written(config: Path, text: str) -> Path:
    config.parent.mkdir(exist_ok=True)
    config.write_text(text, "utf-8")
    return config


def called(*words: str) -> Result:
    return CliRunner().invoke(cli, words)


def test_without_a_file_it_says_how_to_make_one(config: Path) -> None:
    done = called("config")
    assert (done.exit_code, done.stderr) == (0, "")
    assert f"{config} is not there; --edit makes it" in done.stdout
    assert "flow-dark" in done.stdout


def test_it_prints_where_each_setting_comes_from(config: Path) -> None:
    written(config, 'user = "Ana"\n\n[keys]\nruns.sort = "S"\n')
    done = called("config", "--theme", "ansi")
    rows = [line.split(maxsplit=2) for line in done.stdout.splitlines()[1:]]
    assert ["theme", "ansi", "--theme"] in rows
    assert ["user", "Ana", "config.toml, line 1"] in rows
    assert ["keys.runs.sort", "S", "config.toml, line 4"] in rows


def test_json_says_the_same(config: Path) -> None:
    written(config, 'user = "Ana"\nslow = 1\n[keys]\nruns.sort = "S"\n')
    done = called("config", "--json")
    said = json.loads(done.stdout)
    assert done.exit_code == 1
    assert (said["path"], said["exists"]) == (str(config), True)
    known = {one["name"]: one for one in said["settings"]}
    assert known["user"] == {"name": "user", "value": "Ana", "source": "config.toml", "line": 1}
    assert known["slow"] == {"name": "slow", "value": False, "source": "default", "line": None}
    assert known["keys.runs.sort"]["value"] == ["S"]
    assert said["mistakes"] == [
        {"line": 2, "key": "slow", "message": "is a whole number, and must be true or false"}
    ]


def test_mistakes_are_told_on_stderr_in_the_order_of_their_lines(config: Path) -> None:
    written(config, '[keys]\nruns.sort = "r"\nruns.mark = 5\n')
    done = called("config")
    assert done.exit_code == 1
    lines = [line.split(":")[1] for line in done.stderr.splitlines()]
    assert lines == [" config.toml, line 2", " config.toml, line 3"]


def test_all_keys_are_listed_as_they_are_now(config: Path) -> None:
    written(config, '[keys]\nruns.sort = ["S", "f5"]\n')
    lines = called("config", "--keys").stdout.splitlines()
    (sort,) = [line for line in lines if line.split()[0] == "runs.sort"]
    assert "S f5 " in sort
    assert len(lines) > 200


@pytest.mark.parametrize("variable", ["VISUAL", "EDITOR"])
def test_edit_opens_the_file_and_makes_it_first(
    config: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    code = "import sys; open(sys.argv[1], 'a').write('runs.mark = 5')"
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv(variable, shlex.join([sys.executable, "-c", code]))
    done = called("config", "--edit")
    assert config.read_text("utf-8").startswith("# The settings of flow-tui.")
    assert done.exit_code == 1
    assert "keys.runs.mark must be a key" in done.stderr


def test_edit_says_why_it_cannot(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", "no-such-editor")
    monkeypatch.delenv("VISUAL", raising=False)
    done = called("config", "--edit")
    assert "'no-such-editor' is not installed" in str(done.exception)
    assert not config.exists()


def test_a_store_is_found_by_the_file(
    config: Path, demo_directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    written(config, f'store = "{demo_directory}"\n')
    done = called("list", "--limit", "1", "--json")
    assert (done.exit_code, len(json.loads(done.stdout))) == (0, 1)


def test_the_list_has_the_columns_of_the_file(config: Path, demo_directory: Path) -> None:
    written(config, 'columns = ["name", "val/loss", "is.in.no.run", "created_at"]\n')
    store = ("--store", str(demo_directory))
    head = called("list", *store, "--csv").stdout.splitlines()[0]
    assert head == "name,metric.val/loss,created"
    named = called("list", *store, "--csv", "--columns", "id,created").stdout.splitlines()[0]
    assert named == "id,created"


def test_a_command_tells_once_of_what_it_cannot_use_and_goes_on(
    config: Path, demo_directory: Path
) -> None:
    written(config, "columns = 5\ntheme = 5\n")
    done = called("list", "--store", str(demo_directory))
    assert done.exit_code == 0
    (line,) = done.stderr.splitlines()
    assert line.startswith("flow-tui: config.toml, line 1: columns must be a list of names")


def test_nobody_is_told_while_a_word_is_completed(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written(config, "store = 5\n")
    monkeypatch.setenv("_FLOW_TUI_COMPLETE", "complete_bash")
    telling.settings_told("store")
    assert capsys.readouterr().err == ""


def test_what_the_app_tells_is_told_here_only_if_it_does_not_come_to_that(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written(config, "store = 5\n")
    with telling.told_by_app(True):
        telling.settings_told("store")
    assert capsys.readouterr().err == ""
    with pytest.raises(StoreError), telling.told_by_app(True):
        raise StoreError
    assert "config.toml, line 1: store is" in capsys.readouterr().err
