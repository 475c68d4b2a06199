"""What adds an extra, by how this copy was installed."""

from __future__ import annotations

import json
import sys
import sysconfig
from importlib import metadata
from pathlib import Path

import pytest

from flowtui import installation


class Record:
    """An installed package as pip leaves it, with what it says of where it came from."""

    def __init__(self, origin: object) -> None:
        self.origin = origin

    def read_text(self, name: str) -> str | None:
        assert name == "direct_url.json"
        return None if self.origin is None else json.dumps(self.origin)


@pytest.fixture
def prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment of its own that is the active one and has pip, its package off an index."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(sys, "base_prefix", "/usr")
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    installed_from(monkeypatch, None)
    return tmp_path


def installed_from(monkeypatch: pytest.MonkeyPatch, origin: object) -> None:
    monkeypatch.setattr(metadata, "distribution", lambda name: Record(origin))


@pytest.mark.parametrize(
    ("origin", "what"),
    [
        (None, "'flowtui[pdf]'"),
        ({"url": "file:///home/ana/my%20tools", "dir_info": {}}, "'/home/ana/my tools[pdf]'"),
        ({"url": "file:///src/t", "dir_info": {"editable": True}}, "-e '/src/t[pdf]'"),
        (
            {"url": "https://git.example/t.git", "vcs_info": {"vcs": "git", "commit_id": "0"}},
            "'flowtui[pdf] @ git+https://git.example/t.git'",
        ),
        (
            {"url": "file:///dist/flowtui-1-py3-none-any.whl", "archive_info": {}},
            "'flowtui[pdf] @ file:///dist/flowtui-1-py3-none-any.whl'",
        ),
        (["no", "record"], "'flowtui[pdf]'"),
        ({"url": 7, "dir_info": 8}, "'flowtui[pdf]'"),
        ({"url": "file:///src/t", "dir_info": None}, "'flowtui[pdf]'"),
    ],
)
def test_it_is_named_by_what_it_was_installed_from(
    prefix: Path, monkeypatch: pytest.MonkeyPatch, origin: object, what: str
) -> None:
    installed_from(monkeypatch, origin)
    assert installation.adding("pdf") == f"pip install {what}"


def test_a_copy_that_was_never_installed_is_named_by_its_package(
    prefix: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", none)
    assert installation.adding("pdf") == "pip install 'flowtui[pdf]'"


def test_pipx_and_uv_keep_tools_of_their_own(prefix: Path) -> None:
    (prefix / "uv-receipt.toml").touch()
    assert installation.adding("all") == "uv tool install --force 'flowtui[all]'"
    (prefix / "pipx_metadata.json").touch()
    assert installation.adding("all") == "pipx install --force 'flowtui[all]'"


def test_an_environment_that_is_not_active_is_named_by_its_python(
    prefix: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VIRTUAL_ENV")
    monkeypatch.setattr(sys, "executable", "/opt/a b/bin/python")
    assert installation.adding("pdf") == "'/opt/a b/bin/python' -m pip install 'flowtui[pdf]'"


def test_an_environment_without_pip_is_given_to_uv(
    prefix: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr(sys, "executable", "/v/bin/python")
    assert installation.adding("pdf") == "uv pip install --python /v/bin/python 'flowtui[pdf]'"


def test_a_system_that_takes_no_packages_gets_an_environment(
    prefix: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "base_prefix", sys.prefix)
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(prefix))
    (prefix / "EXTERNALLY-MANAGED").touch()
    assert installation.adding("pdf") == "pipx install 'flowtui[pdf]'"


def test_the_package_that_is_named_is_this_one() -> None:
    assert metadata.distribution(installation.DISTRIBUTION).entry_points["flow-tui"]
