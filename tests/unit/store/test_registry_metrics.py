"""The metrics of a model file that the registry shows as columns."""

from __future__ import annotations

import math

import pytest

from flowtui.store.archive.registry_metrics import registry_metrics
from flowtui.store.values import JsonValue

DECLARED = {
    "producer_tags": ["dataforce.studio::registry_metrics:v1"],
    "payload": {"metrics": {"accuracy": 0.9, "loss": math.nan, "note": "x"}},
}
TABULAR = {
    "producer_tags": ["falcon.beastbyte.ai::tabular_regression_metrics:v1"],
    "payload": {"metrics": {"performance": {"eval_holdout": {"R2": 0.7, "N_SAMPLES": 12}}}},
}


def test_declared_metrics_are_taken_and_what_json_lacks_becomes_text() -> None:
    assert registry_metrics({}, [{"producer_tags": ["other"]}, DECLARED]) == {
        "accuracy": 0.9, "loss": "NaN", "note": "x",
    }  # fmt: skip


def test_a_tabular_model_shows_how_it_did_on_what_was_held_out() -> None:
    manifest: dict[str, JsonValue] = {"producer_tags": ["dataforce.studio::tabular_regression:v1"]}
    assert registry_metrics(manifest, [DECLARED, TABULAR]) == {"R2": 0.7}
    assert registry_metrics(manifest, [DECLARED])["accuracy"] == 0.9
    assert registry_metrics({}, [TABULAR]) == {}


@pytest.mark.parametrize(
    "meta", [None, 3, {}, [3], [{"producer_tags": 3}], [{**DECLARED, "payload": [1]}]]
)
def test_anything_else_declares_nothing(meta: JsonValue) -> None:
    assert registry_metrics({"producer_tags": "x"}, meta) == {}
