"""Where data are printed that another program reads."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable
from typing import TextIO


def data_out() -> TextIO:
    """Return stdout for what another program reads: in UTF-8, whatever the locale."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    return sys.stdout


def write_array(values: Iterable[str], out: TextIO) -> None:
    """Write JSON values as an array, each as it comes."""
    before = "["
    for value in values:
        out.write(f"{before}\n{value}")
        before = ","
    out.write("[]\n" if before == "[" else "\n]\n")
