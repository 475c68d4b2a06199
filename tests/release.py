"""Tries what a release is: `make release`.

Builds the source archive and the wheel into `dist/`. Under each Python that flow-tui supports and
that is found, the wheel is installed by pip, pipx and uv, by pip with all extras too, and with the
oldest of every dependency; each copy then has to print its version, make a demo and show it at a
terminal. At last a part of the tests runs from the source archive.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import flowtui
from tests.terminal.terminal import Terminal, environment

TOP = Path(__file__).parents[1]
DIST = TOP / "dist"
VERSIONS = ("3.11", "3.12", "3.13")
FROM_SOURCE = ("tests/unit/house", "tests/unit/cli", "tests/pilot/test_tabs.py")
RUN = "resnet50-cosine"
UV = Path(sys.executable).with_name("uv")


@dataclass(frozen=True, slots=True)
class Way:
    """A way to install a wheel."""

    name: str
    install: Callable[[Path, str, str], Path]
    """Takes a folder for it, a Python and what to install, and returns its flow-tui."""
    extras: str = ""


def main() -> int:
    """Build and try everything; return the exit code."""
    shutil.rmtree(DIST, ignore_errors=True)
    _run(UV, "build", "--quiet", "--out-dir", DIST, TOP)
    (wheel,) = DIST.glob("*.whl")
    (archive,) = DIST.glob("*.tar.gz")
    print(f"{wheel.name}, {wheel.stat().st_size:,} bytes; {archive.name}", flush=True)
    failed = 0
    for version in VERSIONS:
        python = _python(version)
        if python is None:
            print(f"Python {version} is not there: left out")
            continue
        for way in WAYS:
            said = _tried(way, python, f"{wheel}{way.extras}")
            failed += bool(said)
            print(f"Python {version:<6} {way.name:<22} {said or 'works'}", flush=True)
    said = _said(lambda: _tests_of(archive))
    failed += bool(said)
    print(f"tests of {archive.name}: {said or 'pass'}")
    return 1 if failed else 0


def _python(version: str) -> str | None:
    """Return a Python of a version that runs, on the PATH or under pyenv; None if there is none."""
    under_pyenv = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    for found in (shutil.which(f"python{version}"), *map(str, under_pyenv)):
        # A shim of pyenv exists and fails where the version is not chosen.
        if found and subprocess.run([found, "--version"], capture_output=True).returncode == 0:
            return found
    return None


def _tried(way: Way, python: str, what: str) -> str:
    """Install in one way and use it; return why that failed, nothing if it works."""
    with tempfile.TemporaryDirectory() as folder:
        return _said(lambda: _used(way.install(Path(folder), python, what), Path(folder)))


def _said(do: Callable[[], None]) -> str:
    try:
        do()
    except subprocess.CalledProcessError as error:
        lines = (error.stderr or error.stdout or "").strip().splitlines()
        return f"FAILED: {error.cmd[0]} exited with {error.returncode}: {' / '.join(lines[-3:])}"
    except AssertionError as error:
        return f"FAILED: {error}"
    return ""


def _used(program: Path, folder: Path) -> None:
    """Do with a copy what a person does first."""
    here = environment(folder / "home")
    (folder / "home").mkdir()
    said = _run(program, "--version", env=here).strip()
    assert flowtui.__version__ in said, said
    store = _run(program, "demo", "--path", "-y", env=here).strip()
    assert RUN in _run(program, "list", "--store", store, env=here)
    with Terminal((str(program), RUN, "--store", store), here) as terminal:
        terminal.wait_for("1 Overview", timeout=60)
        terminal.wait_for("label_smoothing", timeout=60)
        terminal.send("q")
        assert terminal.wait_exit() == 0


# How it is installed ----------------------------------------------------------------------------


def _by_pip(folder: Path, python: str, what: str) -> Path:
    _run(UV, "venv", "--quiet", "--seed", "--python", python, folder / "venv")
    _run(folder / "venv/bin/python", "-m", "pip", "install", "--quiet", what)
    return folder / "venv/bin/flow-tui"


def _by_pipx(folder: Path, python: str, what: str) -> Path:
    homes = {"PIPX_HOME": f"{folder}/pipx", "PIPX_BIN_DIR": f"{folder}/bin"}
    homes |= {"PIPX_MAN_DIR": f"{folder}/man", "PIPX_DEFAULT_PYTHON": python}
    _run(UV, "tool", "run", "--quiet", "pipx", "install", what, env={**os.environ, **homes})
    return folder / "bin/flow-tui"


def _by_uv(folder: Path, python: str, what: str) -> Path:
    homes = {"UV_TOOL_DIR": f"{folder}/uv", "UV_TOOL_BIN_DIR": f"{folder}/bin"}
    _run(UV, "tool", "install", "--quiet", "--python", python, what, env={**os.environ, **homes})
    return folder / "bin/flow-tui"


def _with_the_oldest(folder: Path, python: str, what: str) -> Path:
    _run(UV, "venv", "--quiet", "--python", python, folder / "venv")
    _run(UV, "pip", "install", "--quiet", "--python", folder / "venv/bin/python",
         "--resolution", "lowest-direct", what)  # fmt: skip
    return folder / "venv/bin/flow-tui"


WAYS = (
    Way("pip", _by_pip),
    Way("pip, all extras", _by_pip, "[all]"),
    Way("pipx", _by_pipx),
    Way("uv", _by_uv),
    Way("oldest, all extras", _with_the_oldest, "[all]"),
)


def _tests_of(archive: Path) -> None:
    """Run tests from the unpacked source archive in an environment of its own."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.unpack_archive(archive, folder, filter="data")
        (source,) = Path(folder).iterdir()
        python = source / "venv/bin/python"
        _run(UV, "venv", "--quiet", "--python", sys.executable, source / "venv")
        _run(UV, "pip", "install", "--quiet", "--python", python, f"{source}[all]",
             "--group", f"{source}/pyproject.toml:dev")  # fmt: skip
        _run(python, "-m", "pytest", "-q", "-n", "2", *FROM_SOURCE, cwd=source)


def _run(*command: str | Path, env: dict[str, str] | None = None, cwd: Path | None = None) -> str:
    """Return what a command prints.

    Raises:
        CalledProcessError: It fails.
    """
    words = [str(word) for word in command]
    done = subprocess.run(words, check=True, capture_output=True, text=True, env=env, cwd=cwd)
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
