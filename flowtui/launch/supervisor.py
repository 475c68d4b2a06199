"""The process beside a program: it holds its terminal, its output and the receiver of its spans.

It has a session of its own, so that nothing that happens to the terminal where it was started ends
it. Viewers come and go: they read the output from its file, and the rest over a socket, on which
each line is an object.

    to a viewer      the state, as `LaunchState.as_json` has it, whenever it has changed
    from a viewer    {"type": "aGkK"}   base64    {"size": [24, 80]}    {"end": 15}
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import os
import signal
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from flowtui.launch.folder import LaunchFolder, LaunchState
from flowtui.launch.pty_program import PtyProgram
from flowtui.launch.tracing import Tracing

_TOLD_EVERY_S = 0.02
_LOOK_EVERY_S = 0.5
_LINE_BYTES = 1 << 17
_UNREAD_BYTES = 1 << 18
"""How much a viewer may leave unread before it is told less."""
_KILLED_AFTER_S = 10.0
"""How long a program may take to end when it is asked to."""
_CREDENTIALS = "3i"


class Supervisor:
    """Supervises one program; all but `supervise` is called in the loop of its thread."""

    def __init__(
        self, folder: LaunchFolder, program: PtyProgram, tracing: Tracing, state: LaunchState
    ) -> None:
        self._folder, self._program, self._tracing = folder, program, tracing
        self._state = state
        self._viewers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.get_running_loop()
        self._is_telling = False
        self._told = ""
        self._killing: asyncio.TimerHandle | None = None

    async def supervise(self, ready: Callable[[], None]) -> None:
        """Go on until the program has ended and everything is written.

        Args:
            ready: Is called when viewers may come.
        """
        path = Path(self._state.socket)
        server = await asyncio.start_unix_server(self._serve, path, limit=_LINE_BYTES)
        path.chmod(0o600)
        self._folder.write(self._state)
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._end, number)
        looking = asyncio.create_task(self._look_often())
        ready()
        code = await asyncio.to_thread(self._program.follow, self._changed)
        self._become(code=code)
        await asyncio.to_thread(self._tracing.stop, code)
        looking.cancel()
        self._note()
        self._become(is_over=True)
        self._folder.write(self._state)
        server.close()
        await self._dismiss_viewers()
        self._program.close()
        with suppress(OSError):
            path.unlink()

    # Viewers ---------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not is_of_this_user(writer.get_extra_info("socket")):
            writer.close()
            return
        self._viewers.add(writer)
        self._send(writer, self._state.as_json())
        try:
            while line := await reader.readline():
                self._heed(line)
        except (ValueError, OSError):
            # A line that is too long, or a viewer that was killed.
            pass
        finally:
            self._viewers.discard(writer)
            writer.close()

    def _heed(self, line: bytes) -> None:
        with suppress(ValueError, binascii.Error):
            match json.loads(line):
                case {"type": str(text)}:
                    self._type(base64.b64decode(text, validate=True))
                case {"size": [int(lines), int(columns)]}:
                    self._program.resize(lines, columns)
                case {"end": int(number)} if number in (signal.SIGTERM, signal.SIGKILL):
                    self._end(number)

    def _type(self, data: bytes) -> None:
        if self._state.code is None and self._program.type(data):
            self._loop.add_writer(self._program.master, self._type_on)

    def _type_on(self) -> None:
        if not self._program.type_on():
            self._loop.remove_writer(self._program.master)

    def _end(self, number: int) -> None:
        if self._state.code is not None:
            return
        self._program.end(number)
        if self._killing is None:
            self._killing = self._loop.call_later(_KILLED_AFTER_S, self._end, signal.SIGKILL)

    async def _dismiss_viewers(self) -> None:
        for writer in list(self._viewers):
            writer.close()
        for writer in list(self._viewers):
            with suppress(OSError, TimeoutError):
                await asyncio.wait_for(writer.wait_closed(), 1.0)

    # The state -------------------------------------------------------------------------------

    def _changed(self) -> None:
        """Have viewers told soon; may be called from any thread."""
        if not self._is_telling:
            self._is_telling = True
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._loop.call_later, _TOLD_EVERY_S, self._note)

    async def _look_often(self) -> None:
        while True:
            self._note()
            await asyncio.sleep(_LOOK_EVERY_S)

    def _note(self) -> None:
        self._is_telling = False
        program, tracing = self._program, self._tracing
        run_before = self._state.run
        self._become(
            output_bytes=program.output_bytes,
            lost_bytes=program.lost_bytes,
            run=tracing.run,
            received=tracing.tally.received,
            trouble=tracing.problem or tracing.tally.trouble,
        )
        if tracing.run != run_before:
            self._folder.write(self._state)

    def _become(self, **changes: object) -> None:
        self._state = replace(self._state, **changes)  # type: ignore[arg-type]
        text = self._state.as_json()
        if text != self._told:
            self._told = text
            for writer in self._viewers:
                self._send(writer, text)

    def _send(self, writer: asyncio.StreamWriter, text: str) -> None:
        if writer.transport.get_write_buffer_size() < _UNREAD_BYTES:
            writer.write(text.encode() + b"\n")


def is_of_this_user(connection: socket.socket) -> bool:
    """Say whether the user has connected; where that is unknown, the folder keeps others out."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    size = struct.calcsize(_CREDENTIALS)
    told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    return bool(struct.unpack(_CREDENTIALS, told)[1] == os.getuid())
