"""What tests of previews share: one call, and a process in which its memory is measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flowtui.previews.preview import preview
from flowtui.previews.values import Mode, Preview, Request, never

_MEASURE = """
import json, resource, sys
from pathlib import Path
from flowtui.previews.errors import PreviewFailed
from flowtui.previews.preview import preview
from flowtui.previews.values import Request, never

def told(who):
    return resource.getrusage(who).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

def peak():
    # On Linux, what getrusage() tells of a process begins at the peak of the one that started it.
    status = Path("/proc/self/status")
    if not status.exists():
        return told(resource.RUSAGE_SELF)
    return int(status.read_text("ascii").partition("VmHWM:")[2].split()[0]) * 1024

path = Path(sys.argv[1])
before = peak()
try:
    outcome = type(preview(path, path.name, Request(), never).shown).__name__
except PreviewFailed as error:
    outcome = str(error)
print(json.dumps([outcome, peak() - before, told(resource.RUSAGE_CHILDREN)]))
"""
BUDGET_BYTES = 150_000_000
INTERPRETER_BYTES = 60_000_000
"""Of the child, with its library."""


def shown(path: Path, request: Request | None = None, name: str | None = None) -> Preview:
    return preview(path, name or path.name, request or Request(width=40, height=20), never)


def as_text(path: Path) -> Preview:
    return shown(path, Request(mode=Mode.TEXT))


@contextmanager
def cpu_at_most(seconds: float) -> Iterator[None]:
    """Fails if this process and its children compute for longer; what else runs does not count."""
    before = cpu_s()
    yield
    assert cpu_s() - before < seconds


def cpu_s() -> float:
    """Return what this process, and those of its children that have ended, have computed."""
    return sum(os.times()[:4])


def outcome_within_budget(path: Path) -> str:
    """Gives what was shown, or why nothing was; fails if that took too much memory."""
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(path)],
        capture_output=True, text=True, check=True, timeout=30,
    )  # fmt: skip
    outcome, own, childs = json.loads(done.stdout)
    assert own < BUDGET_BYTES
    assert childs < BUDGET_BYTES + INTERPRETER_BYTES
    assert isinstance(outcome, str)
    return outcome
