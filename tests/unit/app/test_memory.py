"""Memory that a large read took goes back to the system."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

CODE = """
import os
from pathlib import Path
from flowtui.memory import give_back_large_blocks

def resident_bytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

if {is_asked}:
    give_back_large_blocks()
before = resident_bytes()
for size in (24, 20, 16):
    block = bytearray(b"x") * (size << 20)
    # What comes after it keeps glibc from giving back the end of its heap.
    kept = [bytes(900) for _ in range(1_000)]
    del block
print(resident_bytes() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps large blocks")
def test_a_large_block_is_given_back() -> None:
    kept = {}
    for is_asked in (True, False):
        command = [sys.executable, "-c", CODE.format(is_asked=is_asked)]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        kept[is_asked] = int(said)
    assert kept[True] < 5_000_000
    # Else the test shows nothing.
    assert kept[False] > 10_000_000
