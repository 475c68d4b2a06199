"""The process that a parser runs in: takes one request, sets limits, answers, ends."""

from __future__ import annotations

import importlib
import json
import os
import resource
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from flowtui.previews.errors import PreviewFailed

if TYPE_CHECKING:
    from flowtui.store.values import JsonValue

_TOO_MUCH_MEMORY = "This file needs too much memory to be shown."


class Reader(Protocol):
    """What a module that runs here offers."""

    EXTRA: str
    LIBRARIES: tuple[str, ...]

    def in_child(
        self, path: Path, arguments: Mapping[str, JsonValue]
    ) -> tuple[dict[str, JsonValue], bytes]:
        """Return the values and bytes of the reply, or raise PreviewFailed."""


def main() -> None:
    # Libraries that print must not print into the answer.
    with os.fdopen(os.dup(1), "wb") as out:
        os.dup2(2, 1)
        request = json.load(sys.stdin.buffer)
        values, data = answer(request)
        out.write(json.dumps(values).encode() + b"\n")
        out.write(data)
        out.flush()
        # Closing a library down may take longer than its work did.
        os._exit(0)


def answer(request: dict[str, JsonValue]) -> tuple[dict[str, JsonValue], bytes]:
    name, path, arguments = request["reader"], request["path"], request["arguments"]
    assert isinstance(name, str)
    assert name.isidentifier()
    assert isinstance(path, str)
    assert isinstance(arguments, dict)
    reader: Reader = importlib.import_module(f"flowtui.previews.parsers.{name}")
    try:
        for library in reader.LIBRARIES:
            importlib.import_module(library)
    except ImportError:
        return {"missing": reader.EXTRA}, b""
    _limit(request["memory"], request["time"])
    try:
        return reader.in_child(Path(path), arguments)
    except PreviewFailed as error:
        return {"failed": str(error)}, b""
    except MemoryError:
        return {"failed": _TOO_MUCH_MEMORY}, b""


def _limit(memory_bytes: JsonValue, time_s: JsonValue) -> None:
    """Limit what this process may use from now on; the libraries are already loaded."""
    assert isinstance(memory_bytes, int)
    assert isinstance(time_s, (int, float))
    # The default action ends the process, whatever a parser is in the middle of.
    signal.setitimer(signal.ITIMER_REAL, time_s + 1)
    # macOS has limits on memory but does not enforce them.
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (int(time_s) + 1, int(time_s) + 2))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        limit = _mapped_bytes() + memory_bytes
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _mapped_bytes() -> int:
    try:
        pages = Path("/proc/self/statm").read_text("ascii").split()[0]
        return int(pages) * resource.getpagesize()
    except FileNotFoundError:
        # This system does not count them: leave room for an interpreter and the largest library.
        return 1_000_000_000


if __name__ == "__main__":
    main()
