"""The traces of one session as one conversation (exp.db: spans)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace

from flowtui.store.genai import Conversation, Message
from flowtui.store.genai.gist import asking
from flowtui.store.genai.merging import told_again
from flowtui.store.traces import listing
from flowtui.store.traces.exchange import LISTED_BYTES, conversation_of
from flowtui.store.traces.functions import BELONGING_SQL
from flowtui.store.traces.listing import TraceOrder
from flowtui.store.traces.values import Trace

MAX_TRACES = 100
"""How many traces of a session are read."""


@dataclass(frozen=True, slots=True)
class SessionTurn:
    """What one trace adds to the conversation of its session."""

    trace: Trace
    said: Conversation
    is_unread: bool
    """Whether a span was too long to be parsed, and may say more."""


@dataclass(frozen=True, slots=True)
class SessionTurns:
    """The first traces of a session, the earliest first."""

    session: str
    turns: tuple[SessionTurn, ...]
    trace_count: int
    """How many traces the session has, those that were not read included."""


def session_turns(
    connection: sqlite3.Connection, session: str, limit: int = MAX_TRACES
) -> SessionTurns:
    """Return the conversation of a session, each message of it once.

    A later trace repeats what was said before it. Of its input, what stands before the last thing
    that a person says, and was said before, is left out; so are instructions that do not change.

    Args:
        connection: A connection to exp.db.
        session: The session, see `belongings`.
        limit: How many traces at most.

    Source: spans.attributes, spans.events.
    """
    from flowtui.store.filters import Condition

    condition = Condition(f"{BELONGING_SQL['session']} = :session", {"session": session})
    keys = listing.ordered(connection, condition, TraceOrder("start", descending=False))
    traces = listing.at(connection, keys[:limit])
    in_order = [traces[key] for key in keys[:limit] if key in traces]
    return SessionTurns(session, tuple(_turns(connection, in_order)), len(keys))


def _turns(connection: sqlite3.Connection, traces: list[Trace]) -> Iterator[SessionTurn]:
    known: set[object] = set()
    for trace in traces:
        said, is_unread = conversation_of(connection, trace.trace_id, LISTED_BYTES)
        yield SessionTurn(trace, without_history(said, known), is_unread)
        known |= {told_again(item) for item in (*said.system, *said.input, *said.output)}


def without_history(said: Conversation, known: set[object]) -> Conversation:
    """Return what a conversation adds to what was said before it.

    Args:
        said: The conversation.
        known: `told_again` of what was said before.
    """
    last = next(iter(asking(said)), None)
    new: list[Message] = []
    is_history = True
    for item in said.input:
        is_history = is_history and item is not last
        if not is_history or told_again(item) not in known:
            new.append(item)
    system = tuple(item for item in said.system if told_again(item) not in known)
    return replace(said, system=system, input=tuple(new))
