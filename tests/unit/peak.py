"""The most memory that a command takes."""

from __future__ import annotations

import subprocess
import sys

TIMEOUT_S = 60
# What getrusage() tells begins at the peak of the process that started this one.
_MEASURE = """
import sys
from pathlib import Path
from flowtui.__main__ import main
try:
    main()
finally:
    print(Path("/proc/self/status").read_text("ascii").partition("VmHWM:")[2].split()[0])
"""


def peak_kb(*arguments: object) -> int:
    """Runs `flow-tui` in a process of its own, which has to succeed. Source: /proc/PID/status."""
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=True,
    )
    return int(done.stdout.splitlines()[-1])
