"""What the rows of Trackio mean: metrics, configs, histograms, tables, media, alerts.

Source: trackio/utils.py (`serialize_values`), media/media.py, histogram.py, table.py, markdown.py.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from flowtui.sources.files import is_inside, safe_name
from flowtui.sources.json_values import number, text
from flowtui.sources.records import SourceBatch, SourceFile
from flowtui.store.schema.rows import ParamValue
from flowtui.store.values import JsonValue

_NUMBERS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
"""How numbers are written that JSON has not."""
_MEDIA = {
    "trackio.image": "images", "trackio.audio": "audio", "trackio.video": "videos",
    "trackio.html": "html", "trackio.object3d": "objects",
}  # fmt: skip
TRACE = "trackio.trace"
_MOST_DEPTH = 20


@dataclass(frozen=True, slots=True)
class RowAt:
    """Where and when a row was logged."""

    step: int
    at: datetime
    media: Path
    """The folder that paths of media are relative to."""
    root: Path
    """The folder that no file lies outside of."""


TakeTrace = Callable[[str, Mapping[str, JsonValue]], None]


def parsed(stored: object) -> JsonValue:
    """Return the value of a column of JSON, which are bytes or a text; None of anything else."""
    if not isinstance(stored, (bytes, str)):
        return None
    try:
        # Undecodable bytes of a text come as surrogates.
        data = stored.encode("utf-8", "surrogateescape") if isinstance(stored, str) else stored
        found: JsonValue = json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return found


def take_metrics(
    stored: object, where: RowAt, batch: SourceBatch, take_trace: TakeTrace, prefix: str = ""
) -> None:
    """Add what one row has to a batch: points, and files of what is no number."""
    values = parsed(stored)
    if not isinstance(values, dict):
        batch.left_out["rows that are no JSON objects"] += 1
        return
    for key, value in values.items():
        _take(prefix + text(key), value, where, batch, take_trace, 0)


def _take(
    key: str, value: JsonValue, where: RowAt, batch: SourceBatch, take_trace: TakeTrace, depth: int
) -> None:
    if isinstance(value, str) and value in _NUMBERS:
        value = _NUMBERS[value]
    if isinstance(value, bool):
        value = int(value)
    found = number(value)
    if found is not None:
        batch.points.append((key, found, where.step, where.at))
    elif isinstance(value, dict):
        kind = value.get("_type")
        if kind == TRACE:
            take_trace(key, value)
        elif isinstance(kind, str):
            _take_typed(key, kind, value, where, batch)
        elif depth < _MOST_DEPTH:
            for inner, item in value.items():
                _take(f"{key}.{text(inner)}", item, where, batch, take_trace, depth + 1)
        else:
            batch.left_out[f"objects that are nested deeper than {_MOST_DEPTH} levels"] += 1
    elif isinstance(value, list) and value and all(map(_is_typed, value)):
        for place, item in enumerate(value):
            _take(f"{key}.{place}", item, where, batch, take_trace, depth + 1)
    elif value is not None:
        batch.left_out["texts and lists among the metrics"] += 1


def _is_typed(value: JsonValue) -> bool:
    return isinstance(value, dict) and isinstance(value.get("_type"), str)


def _take_typed(
    key: str, kind: str, value: dict[str, JsonValue], where: RowAt, batch: SourceBatch
) -> None:
    held = value.get("_value")
    if kind == "trackio.histogram":
        _take_histogram(key, value, where, batch)
    elif kind == "trackio.table" and isinstance(held, list):
        data = json.dumps(held, ensure_ascii=False, indent=1).encode("utf-8", "replace")
        _keep(batch, "tables", key, where, ".json", data)
    elif kind == "trackio.markdown" and isinstance(held, str):
        _keep(batch, "texts", key, where, ".md", held.encode("utf-8", "replace"))
    elif kind in _MEDIA and isinstance(relative := value.get("file_path"), str):
        path = where.media / text(relative).replace("\0", "")
        if not is_inside(path, where.root):
            batch.left_out["media whose paths lead out of the folder"] += 1
            return
        name = _name(_MEDIA[kind], key, where, path.suffix)
        batch.files.append(SourceFile(name, path=path, created_at=where.at))
        if value.get("caption"):
            batch.left_out["captions of media"] += 1
    else:
        batch.left_out[f"values of the type {text(kind)[:80]}"] += 1


def _take_histogram(
    key: str, value: dict[str, JsonValue], where: RowAt, batch: SourceBatch
) -> None:
    edges, counts = value.get("bins"), value.get("values")
    if not isinstance(edges, list) or not isinstance(counts, list):
        batch.left_out["histograms without buckets"] += 1
        return
    buckets = [list(one) for one in zip(edges, edges[1:], counts, strict=False)]
    line = {"step": where.step, "logged_at": where.at.isoformat(), "buckets": buckets}
    data = (json.dumps(line) + "\n").encode()
    name = safe_name("histograms", f"{key}.jsonl")
    batch.files.append(SourceFile(name, data, created_at=where.at, is_appended=True))


def _name(kind: str, key: str, where: RowAt, suffix: str) -> str:
    return safe_name(kind, f"{key}/step-{where.step:06d}{suffix}")


def _keep(batch: SourceBatch, kind: str, key: str, where: RowAt, suffix: str, data: bytes) -> None:
    batch.files.append(SourceFile(_name(kind, key, where, suffix), data, created_at=where.at))


def config_params(config: JsonValue) -> dict[str, ParamValue]:
    """Return the parameters of a config; what Trackio adds itself begins with `_`."""
    found: dict[str, ParamValue] = {}
    if isinstance(config, dict):
        for key, value in config.items():
            if not key.startswith("_"):
                found[text(key)] = text(value) if isinstance(value, str) else value
    return found
