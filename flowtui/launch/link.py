"""The link of a viewer to the supervisor of a program."""

from __future__ import annotations

import base64
import json
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress

from flowtui.launch.folder import LaunchFolder, LaunchState, is_living

_SEND_S = 1.0
"""How long a supervisor may take to read what is sent to it, before that is dropped."""
_PIECE_BYTES = 24_576


class ProgramLink:
    """Knows the state of a program, and hands on what is for it."""

    def __init__(self, folder: LaunchFolder) -> None:
        """Connect; of a program that has ended, the state is that at its end.

        Raises:
            OSError: Nothing is known of such a program.
        """
        self.folder = folder
        self.changed: Callable[[], None] = lambda: None
        """Is called in another thread after each change of `state`, and at the end of the link."""
        self.is_lost = False
        """Whether the supervisor is gone without an end of the program."""
        self._is_closed = False
        self.is_ending = False
        """Whether the program was asked to end."""
        state = folder.state
        if state is None:
            raise FileNotFoundError(f"nothing is known of a program in {folder.path}")
        self.state: LaunchState = state
        self._sending = threading.Lock()
        self._socket: socket.socket | None = None
        if state.is_over or not is_living(state.supervisor) or not self._connect(state.socket):
            self._note_end()

    @property
    def is_running(self) -> bool:
        """Whether the program has not ended, as far as is known."""
        return self.state.code is None and not self.is_lost

    @property
    def is_over(self) -> bool:
        """Whether nothing will change any more."""
        return self._socket is None

    def _connect(self, path: str) -> bool:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(_SEND_S)
            connection.connect(path)
            connection.settimeout(None)
            # A supervisor that was stopped must not stop its viewers.
            limit = struct.pack("ll", int(_SEND_S), 0)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        except OSError:
            connection.close()
            return False
        self._socket = connection
        threading.Thread(target=self._listen, args=(connection,), name="link", daemon=True).start()
        return True

    def _listen(self, connection: socket.socket) -> None:
        with suppress(OSError), connection.makefile("rb") as lines:
            for line in lines:
                try:
                    self.state = LaunchState.from_json(line.decode("utf-8", "replace"))
                except ValueError:
                    continue
                self.changed()
        self._socket = None
        self._note_end()
        with suppress(OSError):
            connection.close()
        self.changed()

    def _note_end(self) -> None:
        # It writes its last state before it closes the link.
        self.state = self.folder.state or self.state
        is_unfinished = not self.state.is_over and self.state.code is None
        self.is_lost = is_unfinished and not self._is_closed

    # What goes to it -------------------------------------------------------------------------

    def type(self, data: bytes) -> None:
        """Give the program input, as if it was typed."""
        for at in range(0, len(data), _PIECE_BYTES):
            piece = data[at : at + _PIECE_BYTES]
            self._send({"type": base64.b64encode(piece).decode("ascii")})

    def resize(self, lines: int, columns: int) -> None:
        """Give the program's terminal a size."""
        self._send({"size": [lines, columns]})

    def end(self, number: int) -> None:
        """Ask the program to end, by SIGTERM or SIGKILL."""
        self.is_ending = True
        self._send({"end": number})

    def close(self) -> None:
        """Leave; the program goes on."""
        self.changed = lambda: None
        self._is_closed = True
        if (connection := self._socket) is not None:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _send(self, message: Mapping[str, object]) -> None:
        connection = self._socket
        if connection is None:
            return
        with self._sending, suppress(OSError):
            connection.sendall(json.dumps(message).encode() + b"\n")
