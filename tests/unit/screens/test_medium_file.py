"""A medium of a message as a file: its name, its bytes, and that nothing of it stays."""

from __future__ import annotations

import base64

import pytest

from flowtui.screens.traces.medium_file import MediumFailed, medium_source
from flowtui.store.genai import MediaPart

DATA = base64.b64encode(b"bytes").decode()


@pytest.mark.parametrize(
    ("kind", "mime", "named", "name"),
    [
        ("image", "image/png", None, "image.png"),
        ("image", "image/webp", None, "image.webp"),
        ("audio", "audio/wav", None, "audio.wav"),
        ("document", "application/pdf; charset=x", "report", "report.pdf"),
        ("file", "text/plain", "a/b/notes.md", "notes.md"),
        ("file", "no type at all", None, "file"),
        ("file", None, None, "file"),
    ],
)
def test_a_file_is_named_as_the_medium_or_by_its_type(
    kind: str, mime: str | None, named: str | None, name: str
) -> None:
    assert medium_source(MediaPart(kind, mime, None, named, data=DATA)).name == name


def test_the_file_is_there_while_somebody_may_look_at_it() -> None:
    source = medium_source(MediaPart("image", "image/png", None, None, data=DATA))
    path = source.resolve()
    assert path.read_bytes() == b"bytes"
    assert path.parent.stat().st_mode & 0o077 == 0
    assert source.resolve() == path
    del source
    assert not path.parent.exists()


def test_bytes_that_are_none_are_said() -> None:
    source = medium_source(MediaPart("image", "image/png", None, None, data="no base64!"))
    with pytest.raises(MediumFailed, match="Its bytes cannot be decoded"):
        source.resolve()
