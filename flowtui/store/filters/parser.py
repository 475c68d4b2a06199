"""Parses a filter expression into its tree; knows the grammar but no fields.

    expression  = all ("OR" all)*
    all         = one ("AND"? one)*             two conditions side by side: both, but no word
                                                that has no meaning of its own after a value
    one         = "NOT" one | "(" expression ")" | condition
    condition   = name sign operand             sign: = == != <> < <= > >= ~
                | name "NOT"? ("LIKE" | "ILIKE" | "CONTAINS" | "~") operand
                | name "NOT"? "IN" "(" value ("," value)* ","? ")"
                | name "NOT"? "BETWEEN" value "AND" value
                | name "IS" "NOT"? "NULL"
                | word | quoted                 a search over everything shown

A value is one word or quoted, or a quantity or a moment: `1 h 30 m`, `2025-03-01 10:30`. Keywords
are read in any case; quotes turn one into a search. `&&`, `||` and `!` are AND, OR and NOT.
Annotation names may hold spaces: `annotations.feedback.answer quality = true` needs no quotes.
"""

from __future__ import annotations

import re
from typing import Final, cast

from flowtui.store.errors import FilterError
from flowtui.store.filters.lexer import Token, TokenKind, tokens
from flowtui.store.filters.literals import goes_on, is_number
from flowtui.store.filters.syntax import (
    And,
    Comparison,
    Expression,
    Literals,
    Membership,
    Name,
    Not,
    NullTest,
    Operand,
    Operator,
    Or,
    Quoted,
    Range,
    Search,
    Word,
)

MAX_DEPTH: Final = 16
"""How deep parentheses and NOTs may nest: SQLite's own parser gives up at 100 open symbols."""
MAX_CONDITIONS: Final = 200
"""SQLite refuses an expression that is 1,000 deep, which a chain of 1,000 ORs is."""

_PATTERN_WORDS = frozenset({"LIKE", "ILIKE", "CONTAINS"})
_LIST_WORDS = frozenset({"IN", "BETWEEN"})
_ANNOTATIONS = (
    "annotations.",
    "annotations_feedback.",
    "annotations_expectation.",
    "annotations_expectations.",
)
_RUN = re.compile(r"^[A-H]\.")
_OPERANDS = frozenset({TokenKind.WORD, TokenKind.QUOTED, TokenKind.NAME})


def field_name(text: str) -> str:
    """Return the field's name that a text is, without its quotes or backticks."""
    try:
        found = tokens(text)
    except FilterError:
        return text
    is_one = len(found) == 2 and found[0].kind in (TokenKind.NAME, TokenKind.QUOTED)
    return found[0].text if is_one else text


def parse(text: str) -> Expression | None:
    """Return the tree of an expression, or None for a blank one.

    Raises:
        FilterError: The text is not an expression; the error says what was expected, and where.
    """
    found = tokens(text)
    if found[0].kind is TokenKind.END:
        return None
    return _Parser(text, found).whole()


class _Parser:
    """Recursive descent over the tokens of one expression."""

    def __init__(self, text: str, found: list[Token]) -> None:
        self._text = text
        self._tokens = found
        self._index = 0
        self._depth = 0
        self._conditions = 0
        self._after_value = 0
        """The index where the value of the last comparison ends; 0 before there is one."""

    @property
    def _next(self) -> Token:
        return self._tokens[self._index]

    def _take(self) -> Token:
        token = self._next
        if token.kind is not TokenKind.END:
            self._index += 1
        return token

    def _take_keyword(self, keyword: str) -> bool:
        taken = self._next.keyword == keyword
        self._index += taken
        return taken

    def _take_kind(self, kind: TokenKind) -> bool:
        taken = self._next.kind is kind
        self._index += taken
        return taken

    def whole(self) -> Expression:
        expression = self._any()
        if self._next.kind is not TokenKind.END:
            raise _expected("AND, OR or the end", self._next)
        return expression

    def _any(self) -> Expression:
        operands = [self._all()]
        while self._take_keyword("OR"):
            operands.append(self._all())
        return operands[0] if len(operands) == 1 else Or(tuple(operands))

    def _all(self) -> Expression:
        operands = [self._one()]
        while self._take_keyword("AND") or self._begins_condition():
            operands.append(self._one())
        return operands[0] if len(operands) == 1 else And(tuple(operands))

    def _begins_condition(self) -> bool:
        token = self._next
        return token.kind is TokenKind.OPEN or (
            token.kind in _OPERANDS | {TokenKind.SIGN} and token.keyword in ("", "NOT")
        )

    def _one(self) -> Expression:
        token = self._next
        if token.keyword != "NOT" and token.kind is not TokenKind.OPEN:
            return self._condition()
        if self._depth == MAX_DEPTH:
            raise FilterError(
                f"Parentheses and NOT are nested too deep; expected at most {MAX_DEPTH} levels.",
                token.position,
            )
        self._take()
        self._depth += 1
        inner: Expression
        if token.kind is TokenKind.OPEN:
            inner = self._any()
            if not self._take_kind(TokenKind.CLOSE):
                raise _expected("AND, OR or ')'", self._next)
        else:
            inner = Not(self._one())
        self._depth -= 1
        return inner

    def _condition(self) -> Expression:
        token = self._next
        if token.kind not in _OPERANDS or token.keyword:
            raise _expected("a condition", token)
        self._conditions += 1
        if self._conditions > MAX_CONDITIONS:
            raise FilterError(
                f"The filter is too long; expected at most {MAX_CONDITIONS} conditions.",
                token.position,
            )
        self._take()
        name = self._spaced_name(token) or Name(token.text, token.position)
        if not self._operator_at(self._index):
            is_after_value = self._after_value == self._index - 1 > 0
            is_quoted = token.kind is not TokenKind.WORD
            return Search(token.text, token.position, is_quoted, is_after_value)
        if token.kind is TokenKind.WORD and is_number(token.text):
            raise FilterError(
                f"Expected a field's name before {_shown(self._next)}, found {_shown(token)}.",
                token.position,
            )
        return self._about(name)

    def _about(self, name: Name) -> Expression:
        """Parse what follows a field's name: operator and operand."""
        operator = self._take()
        if operator.keyword == "IS":
            negated = self._take_keyword("NOT")
            if not self._take_keyword("NULL"):
                raise _expected("NULL" if negated else "NULL or NOT NULL", self._next)
            return NullTest(name, negated)
        negated = operator.keyword == "NOT"
        if negated:
            operator = self._take()
        if operator.keyword == "IN":
            return Membership(name, self._list(), negated)
        if operator.keyword == "BETWEEN":
            found: Expression = self._range(name, negated)
        else:
            sign = cast("Operator", operator.keyword or operator.text)
            found = Comparison(name, sign, self._operand(sign), operator.position, negated)
        self._after_value = self._index
        return found

    def _operator_at(self, index: int) -> bool:
        token = self._tokens[index]
        if token.keyword == "NOT":
            after = self._tokens[index + 1]
            is_regex = after.kind is TokenKind.OPERATOR and after.text == "~"
            return is_regex or after.keyword in _PATTERN_WORDS | _LIST_WORDS
        words = _PATTERN_WORDS | _LIST_WORDS | {"IS"}
        return token.kind is TokenKind.OPERATOR or token.keyword in words

    def _spaced_name(self, first: Token) -> Name | None:
        """Take the other words of an annotation's name if an operator follows them."""
        # In a comparison of runs, a run's letter may stand before it.
        if not _RUN.sub("", first.text).lower().startswith(_ANNOTATIONS):
            return None
        index = self._index
        while self._tokens[index].kind is TokenKind.WORD and not self._tokens[index].keyword:
            index += 1
        if index == self._index or not self._operator_at(index):
            return None
        rest = self._text[first.end : self._tokens[index - 1].end]
        self._index = index
        return Name(first.text + rest, first.position)

    def _operand(self, sign: str) -> Operand:
        token = self._next
        if token.keyword == "NULL":
            raise FilterError("Expected IS NULL or IS NOT NULL to ask for NULL.", token.position)
        if token.kind not in _OPERANDS or token.keyword:
            raise _expected(f"a value after {sign}", token)
        self._take()
        if token.kind is TokenKind.NAME:
            return Name(token.text, token.position)
        return self._literal(token)

    def _range(self, name: Name, negated: bool) -> Range:
        low = self._value("a value after BETWEEN")
        if not self._take_keyword("AND"):
            raise _expected("AND and a second value", self._next)
        return Range(name, low, self._value("a value after AND"), negated)

    def _value(self, what: str) -> Literals:
        token = self._next
        if token.kind not in (TokenKind.WORD, TokenKind.QUOTED) or token.keyword:
            raise _expected(what, token)
        return self._literal(self._take())

    def _list(self) -> tuple[Literals, ...]:
        if not self._take_kind(TokenKind.OPEN):
            raise _expected("'(' and a list of values after IN", self._next)
        values: list[Literals] = []
        while not (values and self._take_kind(TokenKind.CLOSE)):
            token = self._take()
            if token.kind not in (TokenKind.WORD, TokenKind.QUOTED):
                raise _expected("a value of the list", token)
            values.append(self._literal(token))
            if not self._take_kind(TokenKind.COMMA) and self._next.kind is not TokenKind.CLOSE:
                raise _expected("',' or ')'", self._next)
        return tuple(values)

    def _literal(self, token: Token) -> Literals:
        """Return the value that a token is or begins, and take the rest of it."""
        if token.kind is TokenKind.QUOTED:
            return Quoted(token.text, token.position)
        words = [token.text]
        while (
            self._next.kind is TokenKind.WORD
            and goes_on(words[-1], self._next.text)
            and not self._operator_at(self._index + 1)
        ):
            words.append(self._take().text)
        return Word(" ".join(words), token.position)


def _expected(what: str, found: Token) -> FilterError:
    return FilterError(f"Expected {what}, found {_shown(found)}.", found.position)


def _shown(token: Token) -> str:
    """Return the token as a message shows it, short enough for one line."""
    if token.kind is TokenKind.END:
        return "the end of the filter"
    text = token.text if len(token.text) <= 30 else token.text[:29] + "…"
    return f"'{text}'"
