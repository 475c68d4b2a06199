"""Jupyter notebooks as blocks: cells as Markdown and source, and what running them gave."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from flowtui.previews.errors import PreviewFailed

if TYPE_CHECKING:
    from flowtui.store.values import JsonValue

EXTRA = ""
LIBRARIES = ("base64",)
BLOCK_CHARS = 20_000
MAX_OUTPUTS = 1_000
"""How many outputs a cell may have; what a program printed is one or a few."""
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_OVERWRITTEN = re.compile(r"[^\n]*\r(?!\n)")
"""What stands before a carriage return, as a progress bar leaves it."""
_SHOWN = (
    ("image/png", ".png"), ("image/jpeg", ".jpg"), ("image/gif", ".gif"), ("image/svg+xml", ".svg"),
)  # fmt: skip
_AS_TEXT = ("text/markdown", "text/latex", "text/plain", "application/json")


def in_child(path: Path, arguments: Mapping[str, JsonValue]) -> tuple[dict[str, JsonValue], bytes]:
    """Return the blocks of some cells, or the bytes of one output."""
    notebook, cells = _read(path)
    wanted = arguments.get("output")
    if isinstance(wanted, int):
        return {}, _output(cells, wanted)
    position, count = arguments["position"], arguments["count"]
    assert isinstance(position, int)
    assert isinstance(count, int)
    first = max(len(cells) + position, 0) if position < 0 else min(position, len(cells))
    language = _language(notebook)
    shown = cells[first : first + count]
    blocks = [
        block for number, cell in enumerate(shown, first) for block in _cell(cell, number, language)
    ]
    values: dict[str, JsonValue] = {"first": first, "count": len(shown), "total": len(cells)}
    return values, json.dumps(blocks).encode()


def _read(path: Path) -> tuple[dict[str, JsonValue], list[dict[str, JsonValue]]]:
    try:
        notebook = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise PreviewFailed("The notebook is not JSON, or is cut off.") from error
    if not isinstance(notebook, dict):
        raise PreviewFailed("This is JSON, but not a notebook.")
    sheets = notebook.get("worksheets")
    # Before version 4 cells were on worksheets, of which there was only ever one.
    holder = sheets[0] if isinstance(sheets, list) and sheets else notebook
    cells = holder.get("cells") if isinstance(holder, dict) else None
    if not isinstance(cells, list):
        raise PreviewFailed("This is JSON, but not a notebook: it has no cells.")
    return notebook, [cell for cell in cells if isinstance(cell, dict)]


def _language(notebook: Mapping[str, JsonValue]) -> str:
    match notebook.get("metadata"):
        case {"language_info": {"name": str(name)}} | {"kernelspec": {"language": str(name)}}:
            return name
    return "python"


def _cell(cell: Mapping[str, JsonValue], number: int, language: str) -> Iterator[JsonValue]:
    source = _text(cell.get("source", cell.get("input")))
    match cell.get("cell_type"):
        case "markdown":
            yield ["markdown", source[:BLOCK_CHARS]]
            if len(source) > BLOCK_CHARS:
                yield _code("", hidden=len(source) - BLOCK_CHARS)
        case "code":
            run = cell.get("execution_count", cell.get("prompt_number"))
            yield _code(source, language, f"[{run if isinstance(run, int) else ' '}]")
            for at, output in enumerate(_outputs(cell)):
                yield from _shown(output, number * MAX_OUTPUTS + at)
        case "heading":
            level = cell.get("level")
            yield ["heading", level if isinstance(level, int) else 1, source[:BLOCK_CHARS]]
        case _:
            yield _code(source)


def _outputs(cell: Mapping[str, JsonValue]) -> list[dict[str, JsonValue]]:
    outputs = cell.get("outputs")
    found = outputs if isinstance(outputs, list) else []
    return [output for output in found[:MAX_OUTPUTS] if isinstance(output, dict)]


def _shown(output: Mapping[str, JsonValue], place: int) -> Iterator[JsonValue]:
    kind = output.get("output_type")
    if kind == "stream":
        yield _code(_printed(_text(output.get("text"))))
    elif kind in ("error", "pyerr"):
        yield ["problem", f"{output.get('ename')}: {_text(output.get('evalue'))}"[:BLOCK_CHARS]]
        trace = output.get("traceback")
        lines = map(_text, trace if isinstance(trace, list) else [])
        yield _code(_ESCAPES.sub("", "\n".join(lines)))
    else:
        yield from _displayed(_data(output), place)


def _displayed(data: Mapping[str, JsonValue], place: int) -> Iterator[JsonValue]:
    for kind, ending in _SHOWN:
        if kind in data:
            name = f"output-{place // MAX_OUTPUTS + 1}-{place % MAX_OUTPUTS + 1}{ending}"
            yield ["member", name, len(_bytes(kind, data[kind])), place]
            return
    for kind in _AS_TEXT:
        if kind in data:
            text = _text(data[kind])
            is_markdown = kind == "text/markdown"
            yield ["markdown", text[:BLOCK_CHARS]] if is_markdown else _code(_printed(text))
            return
    if "text/html" in data:
        name = f"output-{place // MAX_OUTPUTS + 1}-{place % MAX_OUTPUTS + 1}.html"
        yield ["member", name, len(_bytes("text/html", data["text/html"])), place]
    elif data:
        yield ["paragraph", f"An output of the type {', '.join(sorted(data))[:200]}."]


def _data(output: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    data = output.get("data")
    if isinstance(data, dict):
        return data
    # Before version 4 the types stood beside the rest, by their last words.
    old = {"png": "image/png", "jpeg": "image/jpeg", "svg": "image/svg+xml", "text": "text/plain"}
    return {name: output[key] for key, name in old.items() if key in output}


def _output(cells: list[dict[str, JsonValue]], place: int) -> bytes:
    number, at = divmod(place, MAX_OUTPUTS)
    outputs = _outputs(cells[number]) if 0 <= number < len(cells) else []
    data = _data(outputs[at]) if at < len(outputs) else {}
    for kind in (*(kind for kind, _ in _SHOWN), "text/html"):
        if kind in data:
            return _bytes(kind, data[kind])
    raise PreviewFailed("The notebook has changed: this output is not there any more.")


def _bytes(kind: str, value: JsonValue) -> bytes:
    text = _text(value)
    if kind.startswith("text/") or kind == "image/svg+xml":
        return text.encode("utf-8", "replace")
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError):
        return b""


def _text(value: JsonValue) -> str:
    """Return a text, which may be stored as a list of its lines."""
    if isinstance(value, list):
        return "".join(part for part in value if isinstance(part, str))
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False, indent=2)


def _printed(text: str) -> str:
    return _ESCAPES.sub("", _OVERWRITTEN.sub("", text.rstrip("\r\n")))


def _code(text: str, language: str = "", label: str = "", hidden: int = 0) -> JsonValue:
    hidden += max(len(text) - BLOCK_CHARS, 0)
    return ["code", text[:BLOCK_CHARS], language, label, hidden]
