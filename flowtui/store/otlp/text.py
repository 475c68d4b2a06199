"""OTLP/JSON of any length: a document a line, or one document over many lines.

A line that fits is parsed at once. A longer one, and a document that is spread over lines, is
walked down to its spans, each of which is then parsed alone. The attributes of a resource or scope
must then stand before its spans, where every writer puts them.

ijson reads such documents too, but less well: each of its events names the whole path to it, so
that ten thousand opening brackets take 250 MB; it refuses NaN, numbers past 64 bits and bytes that
are not UTF-8, which a shorter line may hold; and it does not name the line where it gives up.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Iterator, Mapping

from flowtui.store.otlp import document as documents
from flowtui.store.otlp import foreign
from flowtui.store.otlp import items as otlp
from flowtui.store.otlp.document import Shape
from flowtui.store.otlp.items import Broken, Item, Origin, Rejected, Skipped, Unreadable
from flowtui.store.otlp.source import PIECE_BYTES, Source
from flowtui.store.values import JsonValue

_MAX_DEPTH = 100
_OPEN = (b"{", b"[", b",", b":")
"""The ends of a line whose document goes on in the next line."""
_MARK = codecs.BOM_UTF8


def items(source: Source) -> Iterator[Item]:
    """Yield what is in a text; a line that cannot be read does not hide the next one."""
    if source.peek(len(_MARK)) == _MARK:
        source.skip(len(_MARK))
    number = 0
    while not source.is_at_end():
        number += 1
        line = source.line(source.whole_bytes)
        where = f"line {number:,}"
        if line is None:
            yield from _long_line(source, where)
        elif line.rstrip().endswith(_OPEN):
            yield from _spread(line, source, number)
            return
        elif not line.isspace():
            yield from _line(line, where)


def request(source: Source) -> Iterator[Item]:
    """Yield what is in the body of a request: one document.

    Raises:
        Unreadable: It is not a document, which shows while the items are taken.
    """
    text = _Text(source.take_up_to, b"", source.whole_bytes, source.span_parts)
    yield from _otlp(text, "")
    if text.peek():
        raise Broken("it is not JSON: something stands after its end")


def parsed(text: bytes) -> object:
    """Return the JSON value of a text.

    Raises:
        Unreadable: The text is not JSON.
    """
    try:
        return json.loads(text.decode("utf-8", "replace"))
    except json.JSONDecodeError as error:
        at = f"at character {error.pos + 1:,}"
        raise Unreadable(f"it is not JSON, {at}: {error.msg.lower()}") from error
    except (ValueError, RecursionError) as error:
        raise Unreadable("it is JSON that is nested too deeply or has too long a number") from error


def _line(line: bytes, where: str) -> Iterator[Item]:
    try:
        document = parsed(line)
        if document and not (isinstance(document, dict) and _is_known(document)):
            yield from foreign.items(document, where)
        else:
            yield from documents.items(document, where)
    except Unreadable as error:
        yield Rejected(where, str(error))


def _is_known(document: Mapping[str, object]) -> bool:
    return not document.keys().isdisjoint((*documents.SHAPE_OF, *documents.UNKNOWN_SIGNALS))


def _long_line(source: Source, where: str) -> Iterator[Item]:
    line = _Line(source)
    try:
        yield from _walked(_Text(line.take_up_to), where)
    except Unreadable as error:
        yield Rejected(where, str(error))
    line.skip_rest()


def _spread(first: bytes, source: Source, number: int) -> Iterator[Item]:
    """Yield what is in a document over many lines; reading cannot go on after a broken one."""
    text = _Text(source.take_up_to, first)
    try:
        while text.peek():
            yield from _walked(text, f"the document at line {number:,}")
    except Unreadable as error:
        yield Rejected(f"line {number + text.line:,}", str(error))


class _Line:
    """The rest of a line, taken in pieces."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._is_over = False

    def take_up_to(self, count: int) -> bytes:
        if self._is_over:
            return b""
        line = self._source.line(count)
        self._is_over = line is not None
        return self._source.take_up_to(count) if line is None else line

    def skip_rest(self) -> None:
        if not self._is_over:
            self._source.skip_line()


class _Text:
    """JSON that is parsed value by value; holds the value that is being parsed."""

    def __init__(
        self,
        take_up_to: Callable[[int], bytes],
        first: bytes = b"",
        whole_chars: int | None = None,
        span_parts: int | None = None,
    ) -> None:
        self._take_up_to = take_up_to
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self.whole_chars = otlp.WHOLE_BYTES if whole_chars is None else whole_chars
        self._parts_left = self._span_parts = span_parts
        hook = None if span_parts is None else self._count
        self._parse = json.JSONDecoder(object_hook=hook).raw_decode
        self._held = self._decode(first)
        self._at = 0
        self._lines_before = 0
        self._is_over = False

    @property
    def line(self) -> int:
        """How many line ends were passed."""
        return self._lines_before + self._held.count("\n", 0, self._at)

    def peek(self) -> str:
        """Return the next character that is not a space, empty at the end."""
        while True:
            while self._at < len(self._held) and self._held[self._at] in " \t\r\n":
                self._at += 1
            if self._at < len(self._held) or not self._more():
                return self._held[self._at : self._at + 1]

    def expect(self, characters: str) -> str:
        """Take and return the next character, which must be one of these."""
        found = self.peek()
        if not found or found not in characters:
            shown = " or ".join(characters)
            raise Broken(
                f"it is not JSON: {shown} was expected" + ("" if found else ", and it ends")
            )
        self._at += 1
        return found

    def value(self, limit: int) -> JsonValue:
        """Take and return the next value.

        Raises:
            Unreadable: It has `limit` characters or more; nothing is taken.
            Broken: It is not JSON.
        """
        self.peek()
        while True:
            self._parts_left = self._span_parts
            try:
                found: JsonValue
                found, end = self._parse(self._held, self._at)
            except RecursionError as error:
                raise Broken("it is JSON that is nested too deeply") from error
            except ValueError as error:
                # The held text may be only the beginning of a value.
                if self._is_over or not self._more(limit):
                    raise Broken("it is not JSON from here on, or ends too early") from error
                continue
            # A number may go on after the held text.
            if end < len(self._held) or not self._more(limit):
                self._at = end
                return found

    def members(self) -> Iterator[str]:
        """Yield the names in an object; the caller takes the value after each."""
        self.expect("{")
        if self.peek() == "}":
            self._at += 1
            return
        while True:
            key = self.value(otlp.MAX_SPAN_BYTES)
            if not isinstance(key, str):
                raise Broken("it is not JSON: a name in quotes was expected")
            self.expect(":")
            yield key
            if self.expect(",}") == "}":
                return

    def elements(self) -> Iterator[None]:
        """Stop before each element of a list; the caller takes it."""
        self.expect("[")
        if self.peek() == "]":
            self._at += 1
            return
        while True:
            yield
            if self.expect(",]") == "]":
                return

    def skip(self, depth: int = 0) -> None:
        """Skip a value of any length."""
        if depth > _MAX_DEPTH:
            raise Broken("it is JSON that is nested too deeply")
        match self.peek():
            case "{":
                for _ in self.members():
                    self.skip(depth + 1)
            case "[":
                for _ in self.elements():
                    self.skip(depth + 1)
            case _:
                self.value(otlp.MAX_SPAN_BYTES)

    def _count(self, members: dict[str, JsonValue]) -> dict[str, JsonValue]:
        """Count an object of the value that is being parsed, and return it."""
        assert self._parts_left is not None
        if self._parts_left <= 0:
            # This is `Broken` and not `Unreadable`, since the end of the span cannot be found any
            # more.
            raise Broken(f"something has more than {self._span_parts:,} parts, which is too many")
        self._parts_left -= 1
        return members

    def _more(self, limit: int | None = None) -> bool:
        """Hold twice as much, but no more than a limit, and say whether there was any more.

        Raises:
            Unreadable: `limit` characters are held already.
        """
        left = len(self._held) - self._at
        if limit is not None and left >= limit:
            raise Unreadable(f"something takes {limit:,} characters or more, which is too many")
        self._lines_before += self._held.count("\n", 0, self._at)
        self._held, self._at = self._held[self._at :], 0
        wanted = max(2 * left, min(PIECE_BYTES, self.whole_chars))
        # Make one last try near the limit, not two.
        if limit is not None and wanted > limit // 2:
            wanted = limit
        while len(self._held) < wanted and not self._is_over:
            piece = self._take_up_to(wanted - len(self._held))
            self._is_over = not piece
            self._held += self._decode(piece, self._is_over)
        return len(self._held) > left


def _walked(text: _Text, where: str) -> Iterator[Item]:
    """Yield what is in one document of a file, be it Zipkin's or Jaeger's."""
    if text.peek() != "[":
        yield from _otlp(text, where, is_file=True)
        return
    for _ in text.elements():
        try:
            yield from foreign.items(text.value(otlp.MAX_SPAN_BYTES), where)
        except Broken:
            raise
        except Unreadable as error:
            yield Rejected(where, str(error))


def _otlp(text: _Text, where: str, *, is_file: bool = False) -> Iterator[Item]:
    """Yield what is in one document of OTLP, or in one of Jaeger's in a file."""
    unknown = 0
    known = 0
    for key in text.members():
        is_known = key in documents.SHAPE_OF or key in documents.UNKNOWN_SIGNALS
        known += is_known or key == foreign.JAEGER_TRACES
        unknown += not is_known
        if is_file and key == foreign.JAEGER_TRACES and text.peek() == "[":
            for _ in text.elements():
                yield from foreign.items(text.value(otlp.MAX_SPAN_BYTES), where)
            continue
        shape = documents.SHAPE_OF.get(key)
        if shape is not None and text.peek() == "[":
            for _ in text.elements():
                yield from _resource(text, where, shape)
            continue
        if shape is not None and text.peek() != "n":
            raise Broken(f"{key} is not a list")
        if key in documents.UNKNOWN_SIGNALS:
            yield Skipped(documents.UNKNOWN_SIGNALS[key])
        text.skip()
    if is_file and unknown and not known:
        yield Rejected(where, foreign.NOT_KNOWN)


def _resource(text: _Text, where: str, shape: Shape) -> Iterator[Item]:
    try:
        whole = text.value(text.whole_chars)
    except Broken:
        raise
    except Unreadable:
        pass
    else:
        yield from documents.resource_items(whole, where, shape)
        return
    resource: Mapping[str, JsonValue] = {}
    has_spans = False
    for key in text.members():
        if key == "resource":
            resource = documents.resource_attributes(text.value(otlp.MAX_SPAN_BYTES))
            if has_spans:
                yield Rejected(where, otlp.LATE.format("resource"))
        elif key in shape.scopes and text.peek() == "[":
            has_spans = True
            for _ in text.elements():
                yield from _scope(text, resource, where, shape)
        else:
            yield from _passed_over(text, key, shape.scopes, where)


def _scope(
    text: _Text, resource: Mapping[str, JsonValue], where: str, shape: Shape
) -> Iterator[Item]:
    origin = Origin(resource, {})
    has_spans = False
    for key in text.members():
        if key == "scope":
            values = documents.scope_values(text.value(otlp.MAX_SPAN_BYTES))
            origin = Origin(resource, values)
            if has_spans:
                yield Rejected(where, otlp.LATE.format("scope"))
        elif key in shape.records and text.peek() == "[":
            has_spans = True
            for _ in text.elements():
                yield shape.item(text.value(otlp.MAX_SPAN_BYTES), origin, where)
        else:
            yield from _passed_over(text, key, shape.records, where)


def _passed_over(text: _Text, key: str, lists: tuple[str, ...], where: str) -> Iterator[Rejected]:
    """Skip a member, and yield a rejection if it should be a list."""
    if key in lists and text.peek() != "n":
        yield Rejected(where, f"{key} is not a list")
    text.skip()
