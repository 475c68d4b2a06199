"""What a span belongs to: the session, the user and the model that it names."""

from __future__ import annotations

from collections.abc import Callable

from flowtui.store.genai.dialects import Meaning, names
from flowtui.store.genai.fields import Attributes, first_text, mapping, replies, text

_METADATA = "metadata"
"""What a program says of its runs: OpenInference has it as an object in one attribute."""


def session(attributes: Attributes) -> str | None:
    """Return the session, conversation or thread that a span is part of, in any dialect."""
    return _named(attributes, Meaning.SESSION)


def user(attributes: Attributes) -> str | None:
    """Return for whom a span works, in any dialect."""
    return _named(attributes, Meaning.USER)


def model(attributes: Attributes) -> str | None:
    """Return the model that a span asked for, else the one that answered."""
    wanted = first_text(attributes, names(Meaning.REQUEST_MODEL))
    answering = wanted or first_text(attributes, names(Meaning.RESPONSE_MODEL))
    return answering or model_of_replies(attributes)


def model_of_replies(attributes: Attributes) -> str | None:
    """Return the model that the first of Haystack's replies names."""
    models = (text(meta.get("model")) for meta in replies(attributes, names(Meaning.REPLIES)))
    return next(models, None)


BELONGINGS: dict[str, Callable[[Attributes], str | None]] = {
    "session": session,
    "user": user,
    "model": model,
}
"""What traces can be grouped by beside their names."""


BELONGING_MARKS = {
    "session": ("session", "thread", "conversation"),
    "user": ("user.id", "user_id", "userId", '.user"'),
    "model": ("model", "haystack."),
}
"""By what a trace belongs to: texts, one of which stands in the JSON of attributes that name one.

These are few, since all spans of a run are searched for them.
"""


def _named(attributes: Attributes, meaning: Meaning) -> str | None:
    found = first_text(attributes, names(meaning))
    if found is None and _METADATA in attributes:
        inside = {
            f"{_METADATA}.{key}": value for key, value in mapping(attributes[_METADATA]).items()
        }
        found = first_text(inside, names(meaning))
    return found
