"""Databases with bytes and pages that are not what their writer left, and all that is asked of one.

The suite tries a few by fixed seeds; `python -m tests.bench.soak` any number.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from flowtui.reports.runs import run_contents, run_text, whole_document
from flowtui.store import runs as run_rows
from flowtui.store import upload_record
from flowtui.store.annotations import listing as annotation_rows
from flowtui.store.annotations import writing as annotating
from flowtui.store.annotations.values import AnnotationKind, Draft, SampleTarget, SpanTarget
from flowtui.store.changes import Watcher
from flowtui.store.errors import StoreError
from flowtui.store.metrics import series as metric_series
from flowtui.store.runs import RunOrder
from flowtui.store.samples import listing as sample_rows
from flowtui.store.samples.scores import score_sets
from flowtui.store.schema import EvalRow, SpanRow
from flowtui.store.store import Store
from flowtui.store.traces import details as span_details
from flowtui.store.traces import listing as trace_rows
from flowtui.store.traces import spans as span_rows
from flowtui.store.traces.listing import TraceOrder
from flowtui.store.values import StoreLocation
from tests.unit.stores import NOW, age, contents, killed, one_run, writer

PAGE_BYTES = 4096
RUN = "run-1"
KINDS = ("meta.db", "run-1/exp.db", "run-1/exp.db-wal")
SQL_WORDS = (b"CREATE", b"TABLE", b"UNIQUE", b"NOT NULL", b"TEXT", b"PRIMARY KEY", b"CHECK")
FEEDBACK = Draft("quality", AnnotationKind.FEEDBACK, True, None, "ana")
_SAMPLE = SampleTarget("set", "sample-1")
_SPAN = SpanTarget("1" * 32, f"{1:016x}")


def make_sound(folder: Path) -> Path:
    """Makes a store with some of everything in it, and a log that a killed writer left."""
    one_run(folder, {"lr": 0.1, "words": "x" * 9000}, {"loss": {n: 1 / (n + 1) for n in range(99)}})
    with writer(folder) as store, store.experiment(RUN) as experiment:
        experiment.spans(
            SpanRow(
                trace_id=_SPAN.trace_id,
                span_id=f"{n:016x}",
                name=f"span {n}",
                start_ns=n,
                end_ns=n + 9,
                attributes={"n": "y" * 50},
            )
            for n in range(1, 60)
        )
        experiment.evals(
            EvalRow(dataset_id="set", id=f"sample-{n}", inputs={"q": n}, scores={"right": n / 9})
            for n in range(9)
        )
        experiment.attachment("a.txt", b"text", created_at=NOW)
    killed(folder / RUN / "exp.db")
    age(folder)
    return folder


def mutate(file: Path, seed: int) -> str:
    """Changes a file in one of several ways, and returns which."""
    chance = random.Random(seed)
    data = bytearray(file.read_bytes())
    pages = max(len(data) // PAGE_BYTES, 1)

    def page(number: int) -> slice:
        return slice(number * PAGE_BYTES, (number + 1) * PAGE_BYTES)

    way = ("byte", "bytes", "words", "swapped pages", "empty page", "cut")[seed % 6]
    if way == "byte":
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    elif way == "bytes":
        for _ in range(chance.randrange(2, 200)):
            data[chance.randrange(len(data))] = chance.randrange(256)
    elif way == "words":
        # SQLite quotes a schema that it does not understand, in messages that are then no UTF-8.
        word = chance.choice(SQL_WORDS)
        places = [n for n in range(len(data)) if data.startswith(word, n)]
        for place in chance.sample(places, min(2, len(places))):
            data[place + chance.randrange(len(word))] = chance.randrange(128, 256)
    elif way == "swapped pages":
        one, other = chance.randrange(pages), chance.randrange(pages)
        data[page(one)], data[page(other)] = data[page(other)], data[page(one)]
    elif way == "empty page":
        data[page(chance.randrange(pages))] = bytes(PAGE_BYTES)
    else:
        del data[chance.randrange(len(data)) :]
    file.write_bytes(data)
    return way


def try_mutant(sound: Path, place: Path, seed: int) -> list[str]:
    """Asks all of a mutant and writes into it; returns what went wrong, nothing if all is well."""
    store = Path(shutil.copytree(sound, place))
    file = store / KINDS[seed % len(KINDS)]
    way = mutate(file, seed // len(KINDS))
    if seed % 5 == 0:
        (store / RUN / "exp.db-shm").unlink()
    age(store)
    what = f"seed {seed}, {way} of {file.relative_to(store)}"
    before = contents(store)
    wrong = [f"{what}: {text}" for text in asked(store) if text]
    if contents(store) != before:
        wrong.append(f"{what}: looking changed the store")
    return wrong + [f"{what}: {text}" for text in written(store) if text]


def asked(directory: Path) -> Iterator[str]:
    """Asks what a person would, and yields what should not have come of it."""
    try:
        store = Store(StoreLocation(directory, "a test"))
    except StoreError as error:
        yield _lines(error)
        return
    with closing(store):
        questions = (
            lambda: store.ask(run_rows.groups),
            lambda: store.ask(run_rows.at, store.list.ordered(None, RunOrder("name"))),
            lambda: shown(store),
            lambda: store.run(RUN).metrics.ask("loss", metric_series.series, "loss", None, 20),
            lambda: store.run(RUN).ask(
                trace_rows.at, store.run(RUN).ask(trace_rows.ordered, None, TraceOrder())
            ),
            lambda: store.run(RUN).ask(span_rows.spans, _SPAN.trace_id),
            lambda: store.run(RUN).ask(span_details.detail, _SPAN.trace_id, _SPAN.span_id),
            lambda: store.run(RUN).ask(sample_rows.at, store.run(RUN).ask(sample_rows.ordered)),
            lambda: store.run(RUN).ask(score_sets),
            lambda: store.run(RUN).attachments(),
            lambda: store.run(RUN).ask(annotation_rows.names),
            lambda: Watcher(store.meta, store.run(RUN)).look(),
        )
        for question in questions:
            try:
                question()
            except StoreError as error:
                yield _lines(error)


def shown(store: Store) -> tuple[object, ...]:
    """Puts together what `show` prints."""
    run = store.resolve(RUN)
    found = run_contents(store, run)
    return whole_document(store, run, found), list(run_text(store, run, found))


def written(directory: Path) -> Iterator[str]:
    """Writes what a person would, and yields what should not have come of it."""
    try:
        with closing(Store(StoreLocation(directory, "a test"))) as store:
            annotating.add(store.run(RUN).database, _SPAN, FEEDBACK)
            annotating.add(store.run(RUN).database, _SAMPLE, FEEDBACK)
            upload_record.record_failure(store.meta, RUN)
    except StoreError as error:
        yield _lines(error)


def _lines(error: StoreError) -> str:
    return "" if str(error) and "\n" not in str(error) else f"no line: {error!r}"
