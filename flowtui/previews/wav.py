"""WAV files as the picture of their waveform: the true least and largest sample of every column.

Of a long recording only a part of each column is read, and the note says so.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Iterator
from dataclasses import dataclass

from flowtui.previews import files
from flowtui.previews.errors import PreviewCancelled, PreviewFailed
from flowtui.previews.values import Opened, Part, Picture, Request

WHOLE_BYTES = 32_000_000
"""How much sound is read in all."""
MAX_CHUNKS = 1_000
MIN_WIDTH_PX, MIN_HEIGHT_PX = 8, 4
MAX_CHANNELS = 256
_INK, _AXIS = (110, 170, 230), (90, 90, 90)
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_CODES = {("u", 8): "B", ("i", 16): "h", ("i", 32): "i", ("f", 32): "f", ("f", 64): "d"}


@dataclass(frozen=True, slots=True)
class _Sound:
    channels: int
    rate: int
    bits: int
    is_float: bool
    start: int
    """Where its samples begin in the file."""
    size_bytes: int

    @property
    def frame_bytes(self) -> int:
        return self.channels * self.bits // 8

    @property
    def frames(self) -> int:
        return self.size_bytes // self.frame_bytes

    @property
    def seconds(self) -> float:
        return self.frames / self.rate


def shown(opened: Opened, request: Request) -> Picture:
    """Return the waveform as large as the pane, all channels in one.

    Raises:
        PreviewFailed: It is broken, or its samples are compressed.
        PreviewCancelled: It was cancelled between two columns.
    """
    sound = _sound(opened)
    width = max(request.width, MIN_WIDTH_PX)
    height = max(request.height * 2, MIN_HEIGHT_PX)
    pixels = bytearray(bytes(request.background) * (width * height))
    extremes = list(_extremes(opened, sound, width))
    for x, (low, high) in enumerate(extremes):
        top, bottom = (round((1 - value) / 2 * (height - 1)) for value in (high, low))
        for y in range(max(top, 0), min(bottom, height - 1) + 1):
            at = (y * width + x) * 3
            pixels[at : at + 3] = bytes(_AXIS if low == high == 0 else _INK)
    kept = min(width, sound.frames)
    notes = [
        _length(sound.seconds),
        f"{sound.rate:,} Hz",
        {1: "mono", 2: "stereo"}.get(sound.channels, f"{sound.channels} channels"),
        f"{sound.bits} bits",
    ]
    if sound.size_bytes > WHOLE_BYTES:
        notes.append("waveform of samples of it")
    if not kept:
        raise PreviewFailed("The recording is empty.")
    return Picture(
        width, height, bytes(pixels), width, height, Part("frame", 0, 1, 1, None), ", ".join(notes)
    )


def _sound(opened: Opened) -> _Sound:
    file, size = opened.file, files.size_of(opened.file)
    at, form = 12, b""
    for _ in range(MAX_CHUNKS):
        head = files.read_at(file, at, 8)
        if len(head) < 8:
            break
        name, length = struct.unpack("<4sI", head)
        if name == b"fmt ":
            form = files.read_at(file, at + 8, min(length, 40))
        elif name == b"data":
            # A recording that was cut off, or is still written, has a length that is not true.
            return _described(form, at + 8, min(length, size - at - 8))
        at += 8 + length + length % 2
    raise PreviewFailed("The WAV file is broken: it has no samples.")


def _described(form: bytes, start: int, size_bytes: int) -> _Sound:
    if len(form) < 16:
        raise PreviewFailed("The WAV file is broken: it does not say what its samples are.")
    code, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", form)
    if code == _EXTENSIBLE and len(form) >= 26:
        (code,) = struct.unpack_from("<H", form, 24)
    kinds = {_PCM: (8, 16, 24, 32), _FLOAT: (32, 64)}
    if code not in kinds:
        raise PreviewFailed("The samples of the WAV file are compressed, which is not read here.")
    if bits not in kinds[code] or not 0 < channels <= MAX_CHANNELS or not rate:
        raise PreviewFailed("The WAV file is broken: its header makes no sense.")
    return _Sound(channels, rate, bits, code == _FLOAT, start, max(size_bytes, 0))


def _extremes(opened: Opened, sound: _Sound, width: int) -> Iterator[tuple[float, float]]:
    """Yield the least and largest sample of each column, from -1 to 1."""
    most = max(WHOLE_BYTES // width // sound.frame_bytes, 1)
    for x in range(width):
        if opened.cancelled():
            raise PreviewCancelled
        first, end = sound.frames * x // width, sound.frames * (x + 1) // width
        # With fewer frames than columns, some columns have the frame of the one before.
        end = max(end, first + 1)
        position = sound.start + first * sound.frame_bytes
        data = files.read_at(opened.file, position, min(end - first, most) * sound.frame_bytes)
        yield _range(data[: len(data) - len(data) % sound.frame_bytes], sound)


def _range(data: bytes, sound: _Sound) -> tuple[float, float]:
    if not data:
        return 0.0, 0.0
    if sound.bits == 24:
        # The upper two bytes of each sample show all that a picture can.
        data = bytes(part for pair in zip(data[1::3], data[2::3], strict=True) for part in pair)
    bits = 16 if sound.bits == 24 else sound.bits
    kind = "f" if sound.is_float else "u" if bits == 8 else "i"
    samples = array(_CODES[kind, bits], data)
    if sys.byteorder == "big":
        samples.byteswap()
    low, high = min(samples), max(samples)
    if kind == "f":
        return max(min(_sane(low), 1.0), -1.0), max(min(_sane(high), 1.0), -1.0)
    offset, scale = (128, 128) if kind == "u" else (0, 1 << (bits - 1))
    return (low - offset) / scale, (high - offset) / scale


def _sane(value: float) -> float:
    return value if value == value else 0.0


def _length(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:,.2f} s"
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes):,} min {rest:.0f} s"
