"""Parsers that cannot be bounded, run in a child process that can.

The child (child.py) has limits on memory, processor time and time, and is killed when the one who
asked leaves. Request and reply are JSON, followed in the reply by plain bytes: nothing that comes
back is ever executed.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import flowtui
from flowtui.previews.errors import MissingExtra, PreviewCancelled, PreviewFailed
from flowtui.previews.values import Cancelled, Mode
from flowtui.store.files import in_pieces
from flowtui.store.values import JsonValue

TIMEOUT_S = 5.0
MEMORY_BYTES = 150_000_000
"""What the child may use beyond the interpreter and the loaded library."""
MAX_REPLY_BYTES = 16_000_000
CHECK_S = 0.02
"""How often it is checked whether the reader has left, so that the child ends soon."""
_PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Reply:
    values: dict[str, JsonValue]
    data: bytes


def ask(
    reader: str,
    path: Path,
    arguments: Mapping[str, JsonValue],
    cancelled: Cancelled,
    timeout_s: float = TIMEOUT_S,
    meanwhile: Mode = Mode.HEX,
) -> Reply:
    """Return what a reader in a child process answers about a file.

    Args:
        reader: A module of `parsers`.
        path: The file.
        arguments: What the reader takes.
        cancelled: Asked every `CHECK_S`.
        timeout_s: How long it may take.
        meanwhile: The mode in which the file can be shown without the library of the reader.

    Raises:
        MissingExtra: The reader's library is not installed.
        PreviewFailed: What the reader said, or which limit it met.
        PreviewCancelled: `cancelled` said so; the child is gone.
    """
    if in_pieces.is_in_pieces(path):
        raise PreviewFailed(
            "It lies in the registry, and files of this kind and size are read whole only."
        )
    request = json.dumps(
        {"reader": reader, "path": str(path), "memory": MEMORY_BYTES, "time": timeout_s}
        | {"arguments": dict(arguments)}
    )
    with subprocess.Popen(
        # -P: a file in the current folder must not be imported as a module.
        [sys.executable, "-P", "-m", "flowtui.previews.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env=_environment(),
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            child.stdin.write(request.encode())
            child.stdin.close()
            answer = _received(child.stdout, cancelled, time.monotonic() + timeout_s)
        except BrokenPipeError:
            answer = b""
        finally:
            child.kill()
    return _reply(answer, meanwhile)


def _environment() -> dict[str, str]:
    """Return this process's environment, changed so that the child finds this package."""
    root = str(Path(flowtui.__file__).parent.parent)
    known = os.environ.get("PYTHONPATH")
    return os.environ | {
        "PYTHONPATH": root if not known else f"{root}{os.pathsep}{known}",
        # Otherwise glibc reserves 64 MB for each thread that finds the others at work, and the
        # limit counts them: now and then a small file would seem to need too much.
        "MALLOC_ARENA_MAX": "1",
    }


def _received(stream: IO[bytes], cancelled: Cancelled, deadline: float) -> bytes:
    pieces: list[bytes] = []
    size = 0
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while True:
            if cancelled():
                raise PreviewCancelled
            if time.monotonic() > deadline:
                raise PreviewFailed("This file takes too long to read.")
            if not selector.select(CHECK_S):
                continue
            piece = os.read(stream.fileno(), _PIECE_BYTES)
            if not piece:
                return b"".join(pieces)
            size += len(piece)
            if size > MAX_REPLY_BYTES:
                raise PreviewFailed("There is too much in this file to be shown.")
            pieces.append(piece)


def _reply(answer: bytes, meanwhile: Mode) -> Reply:
    head, end, data = answer.partition(b"\n")
    if not end:
        raise PreviewFailed("The parser gave up: the file is broken, or needs too much memory.")
    values = json.loads(head)
    if "missing" in values:
        raise MissingExtra(values["missing"], meanwhile)
    if "failed" in values:
        raise PreviewFailed(values["failed"])
    return Reply(values, data)
