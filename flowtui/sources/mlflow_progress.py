"""How far a run of MLflow was read, as far as both of its stores have that in common.

Of a trace everything may change later: spans come, people edit and delete what they said. So a mark
has a version of each trace that was read, and one with another version is read again as a whole.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from flowtui.sources.mlflow_records import RunFacts, count
from flowtui.sources.mlflow_traces import MlflowTrace
from flowtui.sources.records import Mark, SourceBatch
from flowtui.store.values import JsonValue

_BATCH_BYTES = 2 << 20
_AT_ONCE = 100
_OWN_TAGS, _MODELS = "tags of MLflow's own", "logged models"
_DATASETS = "datasets and models that went in or came out"
_OF_RUNS = (_OWN_TAGS, _MODELS, _DATASETS)

Load = Callable[[Sequence[str]], Sequence[tuple[MlflowTrace, int]]]
"""Returns the first of some traces, or more of them in their order, with their sizes in bytes."""


class RunProgress:
    """What was told of one run."""

    def __init__(self, mark: Mark) -> None:
        """Take the mark after which to go on."""
        self.versions = {name: str(version) for name, version in _items(mark.get("traces"))}
        """Of the traces that were read."""
        self._left = {name: _counts(left) for name, left in _items(mark.get("left"))}
        """By trace: what of it has no place."""
        self._told = _counts(mark.get("told"))
        self._small = str(mark.get("small") or "")

    def mark(self) -> Mark:
        """Return its part of a mark."""
        return {
            "traces": dict(self.versions),
            "left": {name: dict(left) for name, left in self._left.items() if left},
            "told": dict(self._told),
            "small": self._small,
        }

    def has_told(self, state: object) -> bool:
        """Say whether what is small was told in some state, and note that state.

        That is all but metrics and traces: so a run that goes on is not told its parameters and
        artifacts with every point.
        """
        digest = hashlib.sha256(json.dumps(state, default=str).encode()).hexdigest()
        before, self._small = self._small, digest
        return before == digest

    def facts(self, facts: RunFacts, models: int, inputs: int, batch: SourceBatch) -> None:
        """Add long tags, and counts of what has no place, to a batch.

        Args:
            facts: Of the run.
            models: How many logged models it has made.
            inputs: How many datasets and models went in or came out.
            batch: The batch.
        """
        batch.params |= facts.long_tags()
        now = {_OWN_TAGS: facts.own_tags(), _MODELS: models, _DATASETS: inputs}
        others = {what: number for what, number in self._told.items() if what not in _OF_RUNS}
        self._told = count(batch, self._told, others | now)

    def traces(self, versions: Mapping[str, str], load: Load) -> Iterator[SourceBatch]:
        """Yield the traces that are new, or of which something has changed; without marks."""
        waiting = [name for name, one in versions.items() if self.versions.get(name) != one]
        batch, size = SourceBatch(None), 0
        while waiting:
            for trace, size_bytes in load(waiting[:_AT_ONCE]):
                name = waiting.pop(0)
                self._left[name] = trace.add_to(batch)
                self.versions[name] = versions[name]
                size += size_bytes
            if size >= _BATCH_BYTES:
                yield self._counted(batch)
                batch, size = SourceBatch(None), 0
        if batch.judged:
            yield self._counted(batch)

    def _counted(self, batch: SourceBatch) -> SourceBatch:
        total = Counter({what: self._told[what] for what in _OF_RUNS if what in self._told})
        for left in self._left.values():
            total.update(left)
        self._told = count(batch, self._told, total)
        return batch


def _items(kept: JsonValue) -> Sequence[tuple[str, JsonValue]]:
    return list(kept.items()) if isinstance(kept, dict) else []


def _counts(kept: JsonValue) -> Counter[str]:
    return Counter({key: value for key, value in _items(kept) if isinstance(value, int)})
