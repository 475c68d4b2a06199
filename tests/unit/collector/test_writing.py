"""Requests turn by turn: nobody waits for one who sends a lot, and what is promised is written."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from flowtui.collector.decoding import Decoding, Received, RequestOutcome
from flowtui.collector.limits import Full, Limits, TooLarge
from flowtui.collector.responses import BodyEncoding
from flowtui.collector.writing import Writer
from flowtui.store.database import Database
from flowtui.store.errors import DatabaseError
from flowtui.store.otlp import joining
from flowtui.store.otlp.ingesting import Batch
from flowtui.store.otlp.items import Unreadable
from flowtui.store.otlp.signals import Signal
from tests.unit.log_bodies import recorded
from tests.unit.otlp_samples import document, field, pairs, span, traces
from tests.unit.stores import one_run

PATIENCE_S = 30.0
MANY = 60_000


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(one_run(tmp_path / "store"), "exp.db")


@contextmanager
def writing(
    database: Database, *requests: Received, limits: Limits | None = None
) -> Iterator[Writer]:
    """Give a writer that found these requests when it began."""
    writer = Writer(database, limits or Limits())
    for received in requests:
        writer.take(received)
    writer.start()
    try:
        yield writer
    finally:
        writer.stop()


def protobuf(body: bytes, client: str = "") -> Received:
    return Received(body, BodyEncoding.PROTOBUF, None, client)


def as_json(value: Any) -> Received:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Received(body, BodyEncoding.JSON, None)


def small(number: int, client: str = "") -> Received:
    return protobuf(traces(span(number)).SerializeToString(), client)


def outcome(database: Database, received: Received, limits: Limits | None = None) -> RequestOutcome:
    with writing(database, received, limits=limits):
        return received.outcome.result(PATIENCE_S)


def stored(database: Database, column: str = "span_id") -> list[Any]:
    with closing(sqlite3.connect(database.path)) as connection:
        return [value for (value,) in connection.execute(f"select {column} from spans")]


HOGS = {
    "spans that say nothing": protobuf(field(1, field(2, b"\x12\x00" * MANY))),
    "resources that say nothing": protobuf(b"\x0a\x00" * MANY),
    "fields that nobody knows": protobuf(b"\x28\x01" * MANY),
    "good spans": protobuf(traces(*map(span, range(100, 2_000))).SerializeToString()),
    "spans in JSON": as_json(
        {"resourceSpans": [{"scopeSpans": [{"spans": [{}] * MANY}]}]},
    ),
    "members that nobody knows": as_json(b"{" + b'"a":1,' * MANY + b'"b":1}'),
}


@pytest.mark.parametrize("name", HOGS)
def test_another_is_answered_before_one_that_has_sent_a_lot(
    database: Database, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    turns: Counter[Received] = Counter()
    go_on = Decoding.go_on

    def counted(self: Decoding) -> None:
        turns[self.received] += 1
        go_on(self)

    monkeypatch.setattr(Decoding, "go_on", counted)
    sent = HOGS[name]
    hog = Received(sent.body, sent.encoding, None, "a")
    others = [small(number, "b") for number in range(3)]
    before: list[int] = []
    for other in others:
        other.outcome.add_done_callback(lambda _: before.append(turns[hog]))
    with writing(database, hog, *others):
        for received in (*others, hog):
            assert received.outcome.result(PATIENCE_S)
    # A turn for each of the others, and one of the hog's before each.
    assert max(before) <= 4
    assert turns[hog] > 4
    assert [turns[other] for other in others] == [1, 1, 1]


def test_too_many_spans_are_refused_and_none_is_kept(database: Database) -> None:
    limits = Limits(spans=10)
    with pytest.raises(TooLarge, match="more than 10 spans; send fewer at a time"):
        outcome(database, protobuf(traces(*map(span, range(11))).SerializeToString()), limits)
    assert stored(database) == []
    assert outcome(database, protobuf(traces(*map(span, range(10))).SerializeToString()), limits)
    assert len(stored(database)) == 10


@pytest.mark.parametrize("broken", [
    protobuf(traces(*map(span, range(500))).SerializeToString() + b"\x0a\xff\xff"),
    as_json(json.dumps(document(traces(*map(span, range(500))))).encode() + b"{"),
    as_json({**document(traces(span(1))), "resource_spans": 7}),
    as_json([]),
    as_json(b""),
])  # fmt: skip
def test_of_a_request_that_is_refused_nothing_is_kept(database: Database, broken: Received) -> None:
    with pytest.raises(Unreadable):
        outcome(database, broken)
    assert stored(database) == []


def test_a_request_of_many_batches_is_kept_whole(database: Database) -> None:
    made = traces(*map(span, range(2_500)), resource={"service.name": "s"}, scope="t")
    for received in (protobuf(made.SerializeToString()), as_json(document(made))):
        assert outcome(database, received) == RequestOutcome(2_500, 0, "")
        assert len(stored(database)) == 2_500
        assert len(set(stored(database, "attributes"))) == 1
        assert '"service.name": "s"' in stored(database, "attributes")[-1]


def test_events_that_there_is_no_room_for_are_told_to_who_sent_them(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joining, "MAX_WAITING", 10)
    logs, metrics, _ = recorded("messages").protobuf
    sent = [
        Received(logs, BodyEncoding.PROTOBUF, None, signal=Signal.LOGS),
        as_json(recorded("details").logs),
        Received(metrics, BodyEncoding.PROTOBUF, None, signal=Signal.METRICS),
    ]
    with writing(database, *sent) as writer:
        first, second, third = [received.outcome.result(PATIENCE_S) for received in sent]
        assert (first.events, first.rejected, first.reason) == (9, 0, "")
        assert (second.events, second.rejected, second.reason) == (1, 1, joining.NO_ROOM)
        assert (third.unkept, third.rejected) == ({"metrics": 2}, 0)
        tally = writer.tally
        assert (tally.events, tally.dropped, tally.metrics, tally.logs) == (10, 1, 2, 0)


def test_one_span_with_more_in_it_than_can_be_is_refused_before_it_is_parsed(
    database: Database,
) -> None:
    limits = Limits(span_parts=1_000)
    hostile = span(1).SerializeToString() + b"\x4a\x00" * 100_000
    body = field(1, field(2, field(2, span(2).SerializeToString()) + field(2, hostile)))
    found = outcome(database, protobuf(body), limits)
    assert (found.spans, found.rejected) == (1, 1)
    assert found.reason == "a Span has more than 1,000 parts"
    large = span(3, vector=[1.5] * 900, text="x" * 100_000)
    assert outcome(database, protobuf(traces(large).SerializeToString()), limits).spans == 1
    assert outcome(database, as_json(document(traces(large))), limits).spans == 1
    large.attributes.extend(pairs({"more": [1.5] * 200}))
    with pytest.raises(Unreadable, match="more than 1,000 parts"):
        outcome(database, as_json(document(traces(large))), limits)


def test_what_stands_after_its_spans_is_said_not_to_be_theirs(database: Database) -> None:
    made = document(traces(span(1, text="x" * 300_000), resource={"a": "b"}, scope="s"))
    (resource,) = made["resourceSpans"]
    turned = {"resourceSpans": [dict(reversed(resource.items()))]}
    found = outcome(database, as_json(turned))
    assert found.spans == 1
    assert found.reason.startswith("the resource stands after its spans")
    body = traces(span(2, text="x" * 100_000)).resource_spans[0]
    late = body.scope_spans[0].SerializeToString() + field(1, field(1, b"\x0a\x01a"))
    found = outcome(database, protobuf(field(1, field(2, late))))
    assert (found.spans, found.rejected) == (1, 1)
    assert found.reason.startswith("the scope stands after its spans")


def test_one_that_takes_too_long_to_be_read_is_refused(database: Database) -> None:
    with pytest.raises(TooLarge, match="takes more than 0 s to be read"):
        outcome(database, HOGS["good spans"], Limits(decode_s=0.0))


def test_an_end_waits_for_no_busy_store_and_promises_nothing(database: Database) -> None:
    requests = [small(number) for number in range(3)]
    large = HOGS["good spans"]
    waiting = Received(large.body, large.encoding, None)
    with closing(sqlite3.connect(database.path, isolation_level=None)) as other:
        other.execute("begin immediate")
        with writing(database, waiting, *requests, limits=Limits(drain_s=0.2)):
            pass
        for received in (waiting, *requests):
            assert isinstance(received.outcome.exception(0), DatabaseError | Full)
        other.execute("rollback")
    assert stored(database) == []


def test_what_comes_during_the_end_is_written_or_refused(database: Database) -> None:
    with writing(database, limits=Limits(drain_s=PATIENCE_S)) as writer:
        writer.hurry()
        late = small(1)
        writer.take(late)
        assert late.outcome.result(PATIENCE_S).spans == 1
    with pytest.raises(Full, match="the receiver is ending"):
        writer.take(small(2))
    assert len(stored(database)) == 1


def test_a_failure_of_any_kind_leaves_the_receiver_at_work(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    with writing(database) as writer:
        for where, what in ((Batch, "write"), (Decoding, "go_on")):
            with monkeypatch.context() as broken:
                broken.setattr(where, what, fail)
                failing = small(1)
                writer.take(failing)
                assert isinstance(failing.outcome.exception(PATIENCE_S), RuntimeError | Full)
        after = small(2)
        writer.take(after)
        assert after.outcome.result(PATIENCE_S).spans == 1


def test_an_end_writes_what_was_taken(database: Database) -> None:
    requests = [small(number) for number in range(100)]
    with writing(database, *requests, limits=Limits(drain_s=PATIENCE_S)):
        pass
    assert all(received.outcome.result(0).spans == 1 for received in requests)
    assert len(stored(database)) == 100
