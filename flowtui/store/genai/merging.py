"""The same messages out of several dialects, put together: the richest wins, nothing is said twice.

Instrumentations write one conversation in two or three dialects at once, and not all of them have
all of it: one leaves out calls, one refusals, one is empty. What one source has and the richest has
not is put where it stood. What the same source says twice stays twice.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from flowtui.store.genai.parts import (
    MediaPart,
    Message,
    Part,
    ReasoningPart,
    TextPart,
    ToolCall,
    ToolResult,
    UnknownPart,
)
from flowtui.store.values import JsonValue

Messages = tuple[Message, ...]

_SPEAKERS = {
    "human": "user",
    "input": "user",
    "model": "assistant",
    "ai": "assistant",
    "output": "assistant",
    "developer": "system",
    "function": "tool",
}
_SEARCHED_CHARS = 20_000_000
"""A text that is no message as a whole is looked for in longer ones up to so many characters."""


def merged(sources: Iterable[Messages]) -> Messages:
    """Return what several sources say, each thing once, in the order of the richest of them.

    Richest is the one with the most parts that are understood; of equal ones the first. Messages
    that could not be read whole only show where no other source says anything.
    """
    told = [source for source in sources if source]
    sound = [source for source in told if _weight(source)]
    if not sound:
        return told[0] if told else ()
    if len(told) == 1:
        return told[0]
    base = max(sound, key=_weight)
    whole = _Whole(base)
    for source in told:
        if source is not base and not any(item.problem for item in source):
            whole.add(source)
    return tuple(whole.messages)


def without_repeats(said: Messages, heard: Messages) -> Messages:
    """Return what came out, without all of what went in where that stands before it.

    The state of an agent holds the whole conversation, so that its output begins with its input.
    """
    if len(said) <= len(heard) or not heard:
        return said
    for mine, theirs in zip(said, heard, strict=False):
        if speaker(mine) != speaker(theirs) or _content(mine) != _content(theirs):
            return said
    return said[len(heard) :]


def told_again(item: Message) -> object:
    """Return what two messages agree on that say the same, whatever was thought before it."""
    told = [part for part in item.parts if not isinstance(part, ReasoningPart)]
    return speaker(item), tuple(map(_key, told))


def _content(item: Message) -> list[object]:
    return [_key(part) for part in item.parts]


def _weight(source: Messages) -> int:
    return sum(
        _is_understood(part) for item in source if item.problem is None for part in item.parts
    )


def _is_understood(part: Part) -> bool:
    match part:
        case UnknownPart():
            return False
        case TextPart(text=text) | ReasoningPart(text=text):
            return bool(text.strip())
        case ToolCall():
            return part != ToolCall(None, None, None)
    return True


class _Whole:
    """The messages of the richest source, and what others add to them."""

    def __init__(self, base: Messages) -> None:
        self.messages = list(base)
        self._left = _SEARCHED_CHARS

    def add(self, source: Messages) -> None:
        """Put what only this source has where it stands in it."""
        known = _Whereabouts(self.messages)
        after: dict[int, list[Message]] = defaultdict(list)
        last = -1
        for at, (item, home, missing) in enumerate(self._placed(known, source)):
            if home is None:
                home = self._place(item, at if not item.parts else last + 1, len(source))
            if home is not None:
                last = max(last, home)
                self._fill(home, item, missing)
            elif missing:
                after[last].append(replace(item, parts=tuple(missing)))
        whole = after[-1]
        for at, item in enumerate(self.messages):
            whole += [_renamed(item, known.renamed), *after[at]]
        self.messages = whole

    def _placed(
        self, known: _Whereabouts, source: Messages
    ) -> list[tuple[Message, int | None, list[Part]]]:
        """Return with each message which of ours it is, and what of it is missing there."""
        known.expect(source)
        placed = []
        for item in source:
            home: int | None = None
            missing: list[Part] = []
            for part in item.parts:
                at = known.place(part)
                if at is None and isinstance(part, TextPart):
                    at = self._within(known, _plain(part.text), speaker(item))
                if at is None:
                    missing += [part] if _is_understood(part) else []
                elif home is None and speaker(self.messages[at]) == speaker(item):
                    home = at
            placed.append((item, home, missing))
        return placed

    def _within(self, known: _Whereabouts, text: str, who: str) -> int | None:
        """Return which message of a speaker holds a text that another source tells apart."""
        for joined, at in known.texts[who]:
            self._left -= len(joined)
            if self._left < 0:
                return None
            if text in joined:
                return at
        return None

    def _place(self, item: Message, at: int, count: int) -> int | None:
        """Return a message of ours that is the same although it has no part of it."""
        if at >= len(self.messages) or speaker(self.messages[at]) != speaker(item):
            return None
        is_the_only_one = len(self.messages) == 1 == count
        return at if is_the_only_one or not item.parts or not self.messages[at].parts else None

    def _fill(self, at: int, item: Message, missing: Sequence[Part]) -> None:
        ours = self.messages[at]
        thoughts = tuple(part for part in missing if isinstance(part, ReasoningPart))
        others = tuple(part for part in missing if not isinstance(part, ReasoningPart))
        finish = ours.finish_reason or item.finish_reason
        if missing or finish != ours.finish_reason:
            parts = thoughts + ours.parts + others
            self.messages[at] = replace(ours, parts=parts, finish_reason=finish)


class _Whereabouts:
    """Where some messages have what: by what two dialects agree on where they say one thing."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self.texts: dict[str, list[tuple[str, int]]] = defaultdict(list)
        """By speaker: the texts of a message as one, and its place."""
        self.renamed: dict[str, str] = {}
        """Ids of calls that nothing answers, by those that are answered."""
        self._places: dict[object, list[int]] = defaultdict(list)
        self._calls: dict[str, int] = {}
        self._alike: dict[object, list[tuple[str | None, int]]] = defaultdict(list)
        self._answered: set[str] = set()
        for at, item in enumerate(messages):
            for part in item.parts:
                self._note(part, at)
            texts = [_plain(part.text) for part in item.parts if isinstance(part, TextPart)]
            if texts:
                self.texts[speaker(item)].append((" ".join(texts), at))

    def _note(self, part: Part, at: int) -> None:
        self._places[_key(part)].append(at)
        match part:
            case ToolCall(id=id_):
                self._alike[_key(part)].append((id_, at))
                if id_ is not None:
                    self._calls.setdefault(id_, at)
            case ToolResult(id=id_, result=result):
                self._answered |= set() if id_ is None else {id_}
                self._places["said", _canonical(result)].append(at)

    def expect(self, source: Messages) -> None:
        """Keep the calls whose ids a source has for those, and take note of what it answers."""
        named = {part.id for item in source for part in item.parts if isinstance(part, ToolCall)}
        for alike in self._alike.values():
            alike[:] = [(id_, at) for id_, at in alike if id_ is None or id_ not in named]
        results = (part for item in source for part in item.parts if isinstance(part, ToolResult))
        self._theirs = {result.id for result in results if result.id is not None}

    def place(self, part: Part) -> int | None:
        """Return which message has a part, None where none has; each is found once."""
        match part:
            case ToolCall(id=id_):
                if id_ is not None and id_ in self._calls:
                    return self._calls[id_]
                alike = self._alike[_key(part)]
                found = next((one for one in alike if _may_be_one(one[0], id_)), None)
                if found is None:
                    return None
                alike.remove(found)
                ours, at = found
                answered = self._answered | self._theirs
                if ours is not None and ours not in answered and id_ in answered:
                    self.renamed[ours] = id_
                return at
            case MediaPart():
                places = self._places[_key(part)]
                return places.pop(0) if places else None
            case ToolResult(id=None, result=result):
                return self._next(("said", _canonical(result)))
            case ToolResult(id=id_, result=result) if id_ not in self._answered:
                return self._next(_key(ToolResult(None, None, result)))
            case TextPart(text=text) if not text.strip():
                return 0
        return self._next(_key(part))

    def _next(self, key: object) -> int | None:
        """Return where something is; where it stands several times, each in turn."""
        places = self._places.get(key)
        if not places:
            return None
        return places.pop(0) if len(places) > 1 else places[0]


def _may_be_one(one: str | None, other: str | None) -> bool:
    """Say whether two ids may name one call: OpenAI's fc_1 and call_1 may, call_2 and call_1 no."""
    if one is None or other is None:
        return True
    return one.partition("_")[0] != other.partition("_")[0]


def _renamed(item: Message, ids: Mapping[str, str]) -> Message:
    """Return a message whose calls have the ids that their answers name."""
    if not ids or not any(isinstance(part, ToolCall) and part.id in ids for part in item.parts):
        return item
    parts = tuple(
        replace(part, id=ids.get(part.id or "", part.id)) if isinstance(part, ToolCall) else part
        for part in item.parts
    )
    return replace(item, parts=parts)


def speaker(item: Message) -> str:
    """Return who says a message: user, assistant, system or tool, in the words of any dialect."""
    return _SPEAKERS.get(item.role, item.role)


def _plain(text: str) -> str:
    return " ".join(text.split())


def _key(part: Part) -> object:
    """Return what two dialects agree on where they say one thing."""
    match part:
        case TextPart(text=text):
            return "text", _plain(text)
        case ReasoningPart(text=text):
            return "thought", _plain(text)
        case ToolCall(name=name, arguments=arguments):
            return "call", name, _canonical(arguments)
        case ToolResult(id=id_, result=result):
            return ("answer", id_) if id_ is not None else ("answered", _canonical(result))
        case MediaPart(mime=mime, kind=kind, size_bytes=size, name_or_uri=uri):
            return "medium", (mime or kind).split("/", 1)[0], uri if size is None else size
        case UnknownPart(raw=raw):
            return "raw", _canonical(raw)


def _canonical(value: JsonValue) -> str:
    if isinstance(value, str):
        return _plain(value)
    try:
        return json.dumps(value, sort_keys=True)
    except (RecursionError, ValueError, TypeError):
        return repr(type(value))
