"""How a receiver and the program that started it talk: lines of JSON one way, an end the other.

    {"listening": ["OTEL_EXPORTER_OTLP_ENDPOINT=…", …], "port": 4318}   once
    {"received": 12, "events": 3, "logs": 0, "metrics": 0, "dropped": 0, "refused": 0,
     "last_name": "…", "trouble": ""}   in one line, on a change
    {"failed": "…", "port_taken": false}   instead, and then it ends

The receiver ends when its standard input does, and that ends with the program, however it dies.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Mapping

_STDIN = 0
TEXT_CHARACTERS = 200
"""How much of a name or a reason is sent: a pipe takes a line this short at once or not at all."""


def tell(message: Mapping[str, object]) -> bool:
    """Write a line and return whether it was taken; a reader that has stopped holds nothing up."""
    descriptor = sys.stdout.fileno()
    os.set_blocking(descriptor, False)
    try:
        os.write(descriptor, json.dumps(message).encode() + b"\n")
    except (BlockingIOError, BrokenPipeError):
        return False
    return True


def end_with_stdin() -> None:
    """Send this process a SIGTERM when its standard input ends."""

    def wait() -> None:
        while os.read(_STDIN, 4096):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="stdin-end", daemon=True).start()
