"""Cuts a filter expression into tokens.

A word has no spaces, quotes, commas, parentheses, comparison signs, `&&` or `||`, so that
`train/loss`, `bert-base` and `точность` need no quotes. `!` at its beginning is NOT. Quotes are ',
" and `; a quote is written inside its own kind of quotes by doubling it, and a backslash stands for
itself, as regular expressions and Windows paths want it. A quoted part may follow a dot:
``params.`my key` ``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from flowtui.store.errors import FilterError

KEYWORDS = frozenset(
    {"AND", "OR", "NOT", "IN", "IS", "NULL", "LIKE", "ILIKE", "CONTAINS", "BETWEEN"}
)
SIGNS = {"&&": "AND", "||": "OR", "!": "NOT"}
"""The signs that stand for keywords."""

_SPACE = re.compile(r"\s*")
_WORD = re.compile(r"""(?:[^\s"'`(),=<>~!&|]|!(?!=)|&(?!&)|\|(?!\|))+""")
_SIGN = re.compile(r"&&|\|\||!")
_OPERATOR = re.compile(r"==|!=|<>|<=|>=|[=<>~]")
_QUOTED = {
    quote: re.compile(f"{quote}([^{quote}]*(?:{quote * 2}[^{quote}]*)*){quote}") for quote in "'\"`"
}
_SYNONYMS = {"==": "=", "<>": "!="}


class TokenKind(Enum):
    """What a token is."""

    WORD = auto()
    SIGN = auto()
    QUOTED = auto()
    NAME = auto()
    OPERATOR = auto()
    OPEN = auto()
    CLOSE = auto()
    COMMA = auto()
    END = auto()


_PUNCTUATION = {"(": TokenKind.OPEN, ")": TokenKind.CLOSE, ",": TokenKind.COMMA}


@dataclass(frozen=True, slots=True)
class Token:
    """One token: its text without quotes, and where it stands."""

    kind: TokenKind
    text: str
    position: int
    end: int

    @property
    def keyword(self) -> str:
        """The keyword in capitals, or an empty string for every other token."""
        if self.kind is TokenKind.SIGN:
            return SIGNS[self.text]
        upper = self.text.upper() if self.kind is TokenKind.WORD else ""
        return upper if upper in KEYWORDS else ""


def tokens(text: str) -> list[Token]:
    """Return the tokens of an expression in order, closed by one END token.

    Raises:
        FilterError: A quote is not closed, or a character is not valid Unicode.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise FilterError("This character is not valid Unicode text.", error.start) from None
    found: list[Token] = []
    at = _skip_space(text, 0)
    while at < len(text):
        token = _token(text, at)
        if found and _runs_on(found[-1], token):
            raise FilterError(
                "Expected a space after the closing quote; a quote inside is written twice.", at
            )
        found.append(token)
        at = _skip_space(text, token.end)
    found.append(Token(TokenKind.END, "", len(text), len(text)))
    return found


def _runs_on(before: Token, token: Token) -> bool:
    """Say whether a word touches a closing quote, as in "say \\"hi\\"" with its backslashes."""
    touches = before.kind is TokenKind.QUOTED and before.end == token.position
    return touches and token.kind is TokenKind.WORD and not token.keyword


def _skip_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _token(text: str, at: int) -> Token:
    first = text[at]
    if first in _PUNCTUATION:
        return Token(_PUNCTUATION[first], first, at, at + 1)
    if first in "'\"":
        value, end = _quoted(text, at)
        return Token(TokenKind.QUOTED, value, at, end)
    operator = _OPERATOR.match(text, at)
    if operator:
        written = operator.group()
        return Token(TokenKind.OPERATOR, _SYNONYMS.get(written, written), at, operator.end())
    if sign := _SIGN.match(text, at):
        return Token(TokenKind.SIGN, sign.group(), at, sign.end())
    return _word(text, at)


def _quoted(text: str, at: int) -> tuple[str, int]:
    quote = text[at]
    match = _QUOTED[quote].match(text, at)
    if match is None:
        raise FilterError(f"This {quote} is not closed; expected another {quote} after it.", at)
    return match.group(1).replace(quote * 2, quote), match.end()


def _word(text: str, start: int) -> Token:
    """Return a word with its quoted parts; one with a quoted part can only be a field's name."""
    parts: list[str] = []
    kind = TokenKind.WORD
    at = start
    while at < len(text):
        if text[at] == "`" or (text[at] in "'\"" and text[at - 1] == "." and at > start):
            part, at = _quoted(text, at)
            kind = TokenKind.NAME
        else:
            match = _WORD.match(text, at)
            if match is None:
                break
            part, at = match.group(), match.end()
        parts.append(part)
    return Token(kind, "".join(parts), start, at)
