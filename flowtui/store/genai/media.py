"""Pictures, sounds and files in messages, named and measured without decoding them."""

from __future__ import annotations

import ast
from base64 import b64decode, b64encode
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

from flowtui.store.genai.fields import first_text, text
from flowtui.store.genai.parts import MediaPart
from flowtui.store.values import JsonValue

Raw = Mapping[str, JsonValue]

MEDIA_TYPES = frozenset(
    "blob file uri media image image_url input_image output_image audio input_audio output_audio "
    "video video_url input_video document input_file file_url".split()
)
_WRAPPERS = (
    "source", "image", "image_url", "input_audio", "audio", "video", "video_url", "document",
    "file", "inlineData", "inline_data", "fileData", "file_data",
)  # fmt: skip
_BYTES = ("data", "content", "file_data", "bytes", "base64", "base64_image", "image")
_URIS = (
    "uri", "url", "image_url", "audio_url", "video_url", "file_url", "fileUri", "file_uri",
    "file_id", "fileId",
)  # fmt: skip
_NAMES = ("filename", "file_name", "name", "title")
_MIMES = ("mime_type", "mimeType", "media_type", "mediaType")
_KINDS = ("image", "audio", "video", "document")
_MAX_WRAPPERS = 4
_WHITESPACE_SAMPLE_CHARS = 100
_URL_SAFE = str.maketrans("-_", "+/")
_PRINTED = ("b'", 'b"')
"""How bytes begin that Python has printed."""


def media_part(raw: Raw, type_: str) -> MediaPart:
    """Return what is known about a medium.

    Source: blob, file and uri parts of gen_ai.*.messages (`modality`, `mime_type`, `content`,
    `file_id`, `uri`); message_content.image.image.url of OpenInference; the image, audio and file
    parts of chat requests, whose bytes are base64, plain or in a `data:` URL, the numbers of a
    JavaScript buffer, or as Python prints them.
    """
    layers = _layers(raw)
    content = _first(layers, _BYTES) or _numbers(layers)
    uri = _first(layers, _URIS)
    mime = _first(layers, _MIMES)
    name = _first(layers, _NAMES)
    transcript = _first(layers, ("transcript",))
    if content is not None and content.startswith(("https://", "http://")):
        content, uri = None, uri or content
    inline = next((value for value in (uri, content) if value and value[:5] == "data:"), None)
    if inline is not None:
        data_mime, size_bytes = _data_url(inline)
        mime = mime or data_mime
        kind = _kind(layers, type_, mime)
        return MediaPart(kind, mime, size_bytes, name, transcript, inline)
    if content is not None:
        content = _as_base64(content)
    size_bytes = None if content is None else base64_size_bytes(content)
    kind = _kind(layers, type_, mime)
    if mime is None and (short := _first(layers, ("format",))) is not None:
        mime = short if "/" in short else f"{kind}/{short}"
    return MediaPart(kind, mime, size_bytes, name or uri, transcript, content)


def content(part: MediaPart, most: int | None = None) -> bytes:
    """Return the bytes of a medium that stand in its part, or the first of them.

    Args:
        part: A medium.
        most: About how many are wanted; None for all.

    Raises:
        ValueError: They are not there, or not base64.
    """
    if part.data is None:
        raise ValueError("the span has nothing of it but its name")
    start = 0
    if part.data[:5] == "data:":
        start = part.data.find(",") + 1
        if not start:
            raise ValueError("its data: URL has no comma")
        if not part.data[:start].endswith(";base64,"):
            return unquote_to_bytes(part.data[start:])[:most]
    encoded = part.data[start : None if most is None else start + most // 3 * 4]
    plain = "".join(encoded.split()).translate(_URL_SAFE).rstrip("=")
    if most is not None:
        plain = plain[: len(plain) // 4 * 4]
    # Some leave out the padding.
    return b64decode(plain + "=" * (-len(plain) % 4), validate=True)


def base64_size_bytes(encoded: str, start: int = 0) -> int:
    """Return how many bytes a base64 text stands for, from a character of it on."""
    length = len(encoded) - start
    # Wrapped lines show at once; a text without them is not walked through.
    if "\n" in encoded[start : start + _WHITESPACE_SAMPLE_CHARS]:
        length -= encoded.count("\n", start) + encoded.count("\r", start)
    padding = 2 if encoded.endswith("==") else int(encoded.endswith("="))
    return max(0, (length - padding) * 3 // 4)


def _layers(raw: Raw) -> list[Raw]:
    layers = [raw]
    while len(layers) <= _MAX_WRAPPERS:
        inner = next((raw[name] for name in _WRAPPERS if isinstance(raw.get(name), dict)), None)
        if not isinstance(inner, dict):
            break
        raw = inner
        layers.append(raw)
    return layers


def _first(layers: list[Raw], names: tuple[str, ...]) -> str | None:
    found = (first_text(layer, names) for layer in layers)
    return next((value for value in found if value is not None), None)


def _numbers(layers: list[Raw]) -> str | None:
    """Return the bytes of a JavaScript buffer, a list of numbers, in base64."""
    for layer in layers:
        value = next((layer[name] for name in _BYTES if layer.get(name)), None)
        inner = value.get("data") if isinstance(value, dict) else value
        if isinstance(inner, list) and all(type(one) is int and 0 <= one < 256 for one in inner):
            return b64encode(bytes(one for one in inner if isinstance(one, int))).decode()
    return None


def _as_base64(content: str) -> str:
    """Return bytes that Python has printed in base64; anything else as it is."""
    if not content.startswith(_PRINTED):
        return content
    try:
        printed = ast.literal_eval(content)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return content
    return b64encode(printed).decode() if isinstance(printed, bytes) else content


def _kind(layers: list[Raw], type_: str, mime: str | None) -> str:
    modality = text(layers[0].get("modality"))
    if modality is not None:
        return modality
    for kind in _KINDS:
        if kind in type_ or (mime or "").startswith(kind):
            return kind
    return next((kind for kind in _KINDS if kind in layers[0]), "file")


def _data_url(url: str) -> tuple[str | None, int | None]:
    comma = url.find(",")
    if comma < 0:
        return None, None
    header = url[5:comma]
    mime = header.split(";", 1)[0] or None
    # Percent-encoded data has no size that could be told from its length.
    return mime, base64_size_bytes(url, comma + 1) if header.endswith(";base64") else None
