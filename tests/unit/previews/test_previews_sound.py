"""WAV files: length, rate, channels, waveform; and the pictures that Pillow reads besides."""

from __future__ import annotations

import math
import struct
import wave
from pathlib import Path

import pytest
from PIL import Image

from flowtui.previews import wav
from flowtui.previews.errors import PreviewCancelled, PreviewFailed
from flowtui.previews.kind_table import PreviewKind
from flowtui.previews.preview import preview
from flowtui.previews.values import Picture, Request
from tests.unit.previewed import cpu_at_most, outcome_within_budget, shown

BACKGROUND = (1, 2, 3)
REQUEST = Request(width=40, height=10, background=BACKGROUND)


def sound(path: Path, samples: list[int], width: int = 2, channels: int = 1) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(1_000)
        if width == 1:
            file.writeframes(bytes(sample + 128 for sample in samples))
        else:
            file.writeframes(b"".join(n.to_bytes(width, "little", signed=True) for n in samples))
    return path


def picture(path: Path, request: Request = REQUEST) -> Picture:
    found = shown(path, request).shown
    assert isinstance(found, Picture)
    return found


def heights(found: Picture) -> list[int]:
    """How many pixels of each column are inked."""
    rows = [
        [found.rgb[(y * found.width_px + x) * 3 :][:3] != bytes(BACKGROUND) for x in
         range(found.width_px)] for y in range(found.height_px)
    ]  # fmt: skip
    return [sum(column) for column in zip(*rows, strict=True)]


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_a_waveform_has_the_extremes_of_every_column(tmp_path: Path, width: int) -> None:
    loud = (1 << (8 * width - 1)) - 1
    samples = [0] * 200 + [loud, -loud] * 100 + [loud // 2, -loud // 2] * 200
    path = sound(tmp_path / "a.wav", samples, width)
    found = picture(path)
    assert shown(path).kind is PreviewKind.WAV
    assert found.note == f"0.80 s, 1,000 Hz, mono, {8 * width} bits"
    inked = heights(found)
    assert inked[:10] == [1] * 10
    assert inked[10:20] == [20] * 10
    assert all(9 <= count <= 11 for count in inked[20:])


def test_floats_and_channels(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    samples = [math.nan, 2.0, -2.0, 0.0] * 100
    data = struct.pack(f"<{len(samples)}f", *samples)
    head = struct.pack("<4sIHHIIHH", b"fmt ", 16, 3, 2, 8_000, 64_000, 8, 32)
    body = head + struct.pack("<4sI", b"data", len(data)) + data
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body)
    found = picture(path)
    assert found.note == "0.03 s, 8,000 Hz, stereo, 32 bits"
    assert len(found.rgb) == 40 * 20 * 3


def test_a_short_and_a_long_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "0.00 s" in picture(sound(tmp_path / "a.wav", [5, -5])).note
    long = sound(tmp_path / "b.wav", [9] * 500_000)
    assert picture(long).note.startswith("8 min 20 s")
    monkeypatch.setattr(wav, "WHOLE_BYTES", 10_000)
    assert picture(long).note.endswith("waveform of samples of it")
    with pytest.raises(PreviewCancelled):
        preview(long, "b.wav", REQUEST, lambda: True)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda data: data[:30], "no samples|does not say"),
        (lambda data: data[:20] + b"\x55\0" + data[22:], "compressed"),
        (lambda data: data[:22] + b"\0\0" + data[24:], "makes no sense"),
        (lambda data: data[:34] + b"\x07\0" + data[36:], "makes no sense"),
        (lambda data: data[:44], "empty"),
        (lambda data: data[:12] + b"junk\0\0\0\0" * 5_000 + data[12:], "no samples"),
    ],
    ids=["cut", "packed", "channels", "bits", "empty", "chunks"],
)
def test_broken_recordings_are_said_to_be(tmp_path: Path, change, why: str) -> None:  # type: ignore[no-untyped-def]
    path = sound(tmp_path / "a.wav", [1, 2, 3])
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(PreviewFailed, match=why):
        shown(path)


def test_a_recording_of_two_gigabytes_is_read_in_parts(tmp_path: Path) -> None:
    path = sound(tmp_path / "a.wav", [1])
    with path.open("r+b") as file:
        file.seek(40)
        file.write(struct.pack("<I", 2_000_000_000))
        file.truncate(2_000_000_044)
    with cpu_at_most(2):
        assert "waveform of samples" in picture(path).note
    assert outcome_within_budget(path) == "Picture"


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.avif", "AVIF"), ("a.ico", "ICO"), ("a.ppm", "PPM"), ("a.pgm", "PPM"), ("a.pbm", "PPM")],
)
def test_other_pictures_are_read(tmp_path: Path, name: str, kind: str) -> None:
    path = tmp_path / name
    mode = {"a.pgm": "L", "a.pbm": "1"}.get(name, "RGB")
    Image.new(mode, (32, 16), {"L": 200, "1": 1}.get(mode, (200, 30, 30))).save(
        path, sizes=[(32, 16)] if kind == "ICO" else None
    )
    assert shown(path).kind is PreviewKind[kind]
    found = picture(path)
    assert (found.source_width, found.source_height) == (32, 16)
    path.write_bytes(path.read_bytes()[:40])
    assert outcome_within_budget(path)


def test_text_that_begins_like_a_picture_is_text(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("P5 is the name of the plan.\n")
    assert shown(path).kind is PreviewKind.TEXT
