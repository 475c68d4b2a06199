"""The metrics that a model file declares for the registry, which shows them as columns.

Source: the entries of the model's meta.json, each with producer_tags and a payload.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from flowtui.store.values import JsonValue

META = "meta.json"
METRICS_TAG = "dataforce.studio::registry_metrics:v1"
TABULAR_TAGS = {
    "dataforce.studio::tabular_classification:v1",
    "dataforce.studio::tabular_regression:v1",
}
TABULAR_METRICS_TAGS = {
    "falcon.beastbyte.ai::tabular_classification_metrics:v1",
    "falcon.beastbyte.ai::tabular_regression_metrics:v1",
}
ROW_COUNT = "N_SAMPLES"


def registry_metrics(manifest: Mapping[str, JsonValue], meta: JsonValue) -> dict[str, JsonValue]:
    """Return the metrics of a model by name, as the registry's own page takes them from its file.

    Numbers that JSON does not have become texts: `NaN`, `Infinity`.

    Args:
        manifest: The model's manifest.json.
        meta: Its meta.json; None if it has none.
    """
    metrics: JsonValue = None
    if _tags(manifest) & TABULAR_TAGS:
        performance = _object(_object(_payload(meta, TABULAR_METRICS_TAGS).get("metrics")).get(
            "performance"
        ))  # fmt: skip
        held_out = _object(performance.get("eval_holdout")) or _object(performance.get("eval_cv"))
        metrics = {name: value for name, value in held_out.items() if name != ROW_COUNT}
    if not metrics:
        metrics = _payload(meta, {METRICS_TAG}).get("metrics")
    return {name: _sendable(value) for name, value in _object(metrics).items()}


def _payload(meta: JsonValue, tags: set[str]) -> dict[str, JsonValue]:
    """Return the payload of the first entry with one of some tags."""
    for entry in meta if isinstance(meta, list) else ():
        if _tags(_object(entry)) & tags:
            return _object(_object(entry).get("payload"))
    return {}


def _tags(document: Mapping[str, JsonValue]) -> set[str]:
    tags = document.get("producer_tags")
    return {tag for tag in tags if isinstance(tag, str)} if isinstance(tags, list) else set()


def _object(value: JsonValue) -> dict[str, JsonValue]:
    return value if isinstance(value, dict) else {}


def _sendable(value: JsonValue) -> JsonValue:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value
