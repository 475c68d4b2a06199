"""Finds a Python for the real luml-sdk, keeps one virtual environment per SDK version, runs it.

The SDK needs Python >= 3.12 and flow-tui starts at 3.11, so the tests never import luml: they run
`write_store.py` with an environment's own Python. The environments live in `.sdk/` at the top of
the repository and are made once; deleting the folder makes them anew.
"""

from __future__ import annotations

import fcntl
import json
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

VERSIONS = ("0.1.0", "0.1.1", "0.3.0", "0.4.0")
"""One luml-sdk for each version of the schema of meta.db, from 3 to 6."""

HOME = Path(__file__).parents[2] / ".sdk"
WRITER = Path(__file__).with_name("write_store.py")
PYTHON_VARIABLE = "FLOW_TUI_TEST_PYTHON"

# A pyenv shim exists and fails; a distribution's Python may lack what a venv needs.
_PROBE = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 12))"


class SdkUnavailable(Exception):
    """This machine cannot run that luml-sdk; `str()` says why, in one line."""


def find_python() -> Path:
    """Finds a Python >= 3.12 that runs and can make virtual environments.

    Raises:
        SdkUnavailable: There is none, or the one that FLOW_TUI_TEST_PYTHON names is none.
    """
    if named := os.environ.get(PYTHON_VARIABLE):
        if _is_fit(named):
            return Path(named)
        raise SdkUnavailable(f"no Python >= 3.12 that works at {PYTHON_VARIABLE}={named}")
    for candidate in _candidates():
        if _is_fit(candidate):
            return Path(candidate)
    raise SdkUnavailable(
        f"no Python >= 3.12 to run luml-sdk with: install one or name one in {PYTHON_VARIABLE}"
    )


def environment(version: str, home: Path = HOME) -> Path:
    """Gives the Python of the environment with that luml-sdk, which it makes where it is missing.

    Test workers that ask at the same time wait for the one that builds.

    Raises:
        SdkUnavailable: There is no Python for it, or pip could not install it.
    """
    return environment_with(f"luml-sdk=={version}", version, home)


def environment_with(requirement: str, name: str, home: Path = HOME) -> Path:
    """Gives the Python of the environment of that name with these packages, as `environment` does.

    Raises:
        SdkUnavailable: There is no Python for it, or pip could not install it.
    """
    folder = home / name
    python = folder / "bin" / "python"
    ready = folder / ".ready"
    home.mkdir(exist_ok=True)
    with _locked(home / f"{name}.lock"):
        # A link to a base Python that is gone does not count as existing.
        if not (ready.exists() and python.exists()):
            _make_environment(folder)
            _install(python, requirement)
            ready.touch()
    return python


def run_writer(python: Path, directory: Path) -> Path:
    """Writes `directory`/store with an SDK environment's Python and expected.json beside it.

    Returns:
        The store's folder; every database in it is closed.
    """
    store = directory / "store"
    answer = subprocess.run(
        [python, "-X", "utf8", WRITER, store],
        cwd=directory,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    save_expected(directory, json.loads(answer))
    return store


def save_expected(directory: Path, document: dict[str, Any]) -> None:
    """Saves what a store was written with as `directory`/expected.json."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1)
    (directory / "expected.json").write_text(text + "\n", encoding="utf-8")


def expected(store: Path) -> dict[str, Any]:
    """Gives the document of what a store was written with; `write_store.py` says its shape."""
    text = store.with_name("expected.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


def _candidates() -> Iterator[str]:
    """Names Pythons that may do, the ones at hand first."""
    yield sys.executable
    for name in ("python3.12", "python3.13", "python3.14"):
        if found := shutil.which(name):
            yield found
    # The tests have a HOME of their own, which is not where pyenv is.
    home = Path(pwd.getpwuid(os.getuid()).pw_dir)
    yield from sorted(map(str, home.glob(".pyenv/versions/3.1[2-9]*/bin/python")))
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    if uv := shutil.which("uv", path=tools):
        search = [uv, "python", "find", "--system", ">=3.12"]
        if found := subprocess.run(search, capture_output=True, text=True).stdout.strip():
            yield found


def _is_fit(python: str) -> bool:
    try:
        probe = subprocess.run([python, "-c", _PROBE], capture_output=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return probe.returncode == 0


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Holds an exclusive lock that ends with the process, however the process ends."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _make_environment(folder: Path) -> None:
    command: list[str | Path] = [find_python(), "-m", "venv", "--clear", folder]
    made = subprocess.run(command, capture_output=True, text=True)
    if made.returncode:
        raise SdkUnavailable(f"no virtual environment for luml-sdk: {_last_line(made)}")


def _install(python: Path, requirement: str) -> None:
    command: list[str | Path] = [python, "-m", "pip", "install", "--quiet", *requirement.split()]
    # Once more, since a package index now and then drops a connection.
    for _ in range(2):
        installed = subprocess.run(command, capture_output=True, text=True)
        if installed.returncode == 0:
            return
    raise SdkUnavailable(f"no {requirement} for {python}: {_last_line(installed)}")


def _last_line(process: subprocess.CompletedProcess[str]) -> str:
    lines = process.stderr.strip().splitlines() or [f"exit status {process.returncode}"]
    return lines[-1]
