"""Which keys of config.toml can be used: known actions, known keys, and one action for a key.

To know all actions every screen is imported, which takes longer than a start may. So the answer is
remembered for as long as the file and the version stay the same.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from flowtui import __version__
from flowtui.format import plain
from flowtui.settings.values import Mistake, Settings
from flowtui.store.closest import closest
from flowtui.store.values import JsonValue
from flowtui.widgets import remembered

if TYPE_CHECKING:
    from textual.binding import Binding

REMEMBERED = "config.keys"
PLACES: Mapping[str, tuple[str, ...]] = {
    "the list of runs": ("runs", "app", "move"),
    "the place without runs": ("ways", "app"),
    "Overview": ("overview", "tab", "app", "move"),
    "Metrics": ("metrics", "tab", "app", "move"),
    "one metric": ("zoom", "curve", "app"),
    "the list of traces": ("traces", "annotate", "tab", "app", "move"),
    "the groups of traces": ("groups", "tab", "app", "move"),
    "one trace": ("trace", "spans", "document", "annotate", "app", "move"),
    "a session": ("session", "document", "app", "move"),
    "Evals": ("evals", "annotate", "tab", "app", "move"),
    "one sample": ("sample", "document", "annotate", "app", "move"),
    "Attachments": ("attachments", "files", "preview", "table", "picture", "tab", "app", "move"),
    "a file": ("file", "preview", "table", "picture", "document", "move"),
    "the difference of two files": ("difference", "app", "move"),
    "Overview of a comparison": ("compare_overview", "compare", "app", "move"),
    "a row of a comparison": ("fact", "app", "move"),
    "Metrics of a comparison": ("metrics", "compare", "app", "move"),
    "one metric of a comparison": ("zoom", "curve", "compare", "app"),
    "Traces of a comparison": ("compare_traces", "compare", "app", "move"),
    "two traces": ("pair", "app", "move"),
    "Evals of a comparison": ("compare_evals", "annotate", "compare", "app", "move"),
    "a sample of a comparison": ("compare_sample", "document", "annotate", "app", "move"),
    "Attachments of a comparison": ("compare_files", "compare", "app", "move"),
    "the review": ("review", "document", "move"),
    "the console": ("console", "app", "move"),
    "the registry": ("registry", "move"),
    "the filter line": ("filter",),
    "a form": ("form", "field", "name", "dialog"),
    "the upload": ("upload", "pick", "form", "dialog"),
    "the progress of an upload": ("progress", "dialog"),
    "the question before leaving": ("leave", "question"),
    "the question about a program": ("program", "question", "dialog"),
    "a question": ("question",),
    "the question about a change": ("conflict", "question", "dialog"),
    "the question before deleting": ("delete", "dialog"),
    "what to be told of": ("alarm", "dialog"),
    "the receiver": ("collect",),
    "a choice": ("choose", "columns", "dialog", "move"),
    "saving what is shown": ("export", "dialog"),
    "saving a file": ("save", "dialog"),
    "the list of commands": ("commands",),
    "the list of keys": ("keys", "move"),
}
"""What the ids begin with of the keys that work at the same time, by where they do."""
_CALLED = {
    "esc": "escape", "return": "enter", "pgup": "pageup", "pgdn": "pagedown", "del": "delete",
    "ins": "insert", "↑": "up", "↓": "down", "←": "left", "→": "right",
}  # fmt: skip
"""Keys by other names than the toolkit's: those of the keys screen and of keyboards."""
_MODIFIERS = ("ctrl", "alt", "shift", "super", "hyper", "meta")


class Action(NamedTuple):
    """What an id stands for."""

    id: str
    keys: tuple[str, ...]
    """The keys by default."""
    name: str
    what: str
    acts_in_fields: bool = False
    """Whether it acts before a field gets the key, so that no character can be its key."""
    beside: tuple[str, ...] = ()
    """Ids of others that one class binds to the same key."""


class Checked(NamedTuple):
    """The keys that can be used, for `App.set_keymap`, and the mistakes."""

    keymap: Mapping[str, str]
    mistakes: tuple[Mistake, ...]


def actions() -> dict[str, Action]:
    """Return all actions by id; imports every screen."""
    from flowtui.settings.bindings import bound

    found: dict[str, Action] = {}
    by_key: dict[tuple[object, str], list[str]] = defaultdict(list)
    for node, binding in bound():
        keys = tuple(binding.key.split(","))
        for key in keys:
            by_key[node, key].append(str(binding.id))
        known = found.get(str(binding.id))
        if known is None or not known.what:
            found[str(binding.id)] = _action(binding, keys)
        elif binding.priority:
            found[known.id] = known._replace(acts_in_fields=True)
    for ids in by_key.values():
        for one in ids if len(ids) > 1 else ():
            others = tuple(other for other in ids if other != one)
            found[one] = found[one]._replace(beside=others)
    return found


def _action(binding: Binding, keys: tuple[str, ...]) -> Action:
    return Action(str(binding.id), keys, binding.description, binding.tooltip, binding.priority)


def checked(settings: Settings) -> Checked:
    """Return which keys can be used, as it was remembered of this file if it was."""
    if not settings.keys:
        return Checked({}, ())
    digest = hashlib.sha256(f"{__version__}\n{settings.text}".encode()).hexdigest()
    kept = remembered.get(REMEMBERED)
    if isinstance(kept, dict) and kept.get("digest") == digest and (known := _from_json(kept)):
        return known
    found = check(settings, actions())
    mistakes: list[JsonValue] = [list(one) for one in found.mistakes]
    remembered.put(REMEMBERED, {"digest": digest, "keymap": {**found.keymap}, "mistakes": mistakes})
    return found


def _from_json(kept: Mapping[str, JsonValue]) -> Checked | None:
    """Return what was remembered; None if it is not as it was put."""
    keymap, mistakes = kept.get("keymap"), kept.get("mistakes")
    if not isinstance(keymap, dict) or not isinstance(mistakes, list):
        return None
    read = []
    for one in mistakes:
        if not isinstance(one, list) or len(one) != 3 or not isinstance(one[0], int):
            return None
        read.append(Mistake(one[0], str(one[1]), str(one[2])))
    return Checked({id: str(keys) for id, keys in keymap.items()}, tuple(read))


def check(settings: Settings, known: Mapping[str, Action]) -> Checked:
    """Return which keys of a file can be used, and what is wrong with the others."""
    mistakes: dict[str, str] = {}
    wanted: dict[str, tuple[str, ...]] = {}
    for id, keys in settings.keys.items():
        named = [(key, key_named(key)) for key in keys]
        odd = [key for key, name in named if name is None]
        names = tuple(dict.fromkeys(name for _, name in named if name is not None))
        if id not in known:
            near = closest(id, known, 3, 0.75)
            listed = f"closest: {', '.join(near)}" if near else "flow-tui config --keys lists them"
            mistakes[id] = f"is not an action; {listed}"
        elif odd:
            mistakes[id] = f"cannot be {plain(odd[0], 30)!r}, which is not a key"
        elif known[id].acts_in_fields and (typed := list(filter(_is_character, names))):
            shown = key_shown(typed[0])
            mistakes[id] = f"cannot be {shown}: it acts in fields too, where {shown} is typed"
        else:
            wanted[id] = names
    while (clash := _clash(wanted, known)) is not None:
        id, why = clash
        mistakes[id] = why
        del wanted[id]
    keymap = {id: ",".join(names) for id, names in wanted.items()}
    for id in wanted:
        # Textual drops the others that one class has under the same key.
        for other in known[id].beside:
            keymap.setdefault(other, ",".join(known[other].keys))
    found = [
        Mistake(settings.line("keys", id), f"keys.{plain(id, 60)}", text)
        for id, text in mistakes.items()
    ]
    return Checked(keymap, tuple(sorted(found)))


def _clash(
    wanted: Mapping[str, Sequence[str]], known: Mapping[str, Action]
) -> tuple[str, str] | None:
    """Return a key that cannot be used since another action has it in the same place, and why.

    Of two that the file sets, the later one is wrong.
    """
    ids_of: dict[str, list[str]] = defaultdict(list)
    for id in known:
        ids_of[id.partition(".")[0]].append(id)
    order = {id: number for number, id in enumerate(wanted)}
    for place, prefixes in PLACES.items():
        by_key: dict[str, list[str]] = defaultdict(list)
        for id in (id for prefix in prefixes for id in ids_of[prefix]):
            for key in wanted.get(id, known[id].keys):
                by_key[key].append(id)
        for key, ids in by_key.items():
            here = [id for id in ids if id in wanted and key not in known[id].keys]
            if not here or len(ids) == 1:
                continue
            loser = max(here, key=order.__getitem__)
            other = next(id for id in ids if id != loser)
            shown = key_shown(key)
            return loser, f"cannot be {shown}: that is {other} ({known[other].name}) in {place}"
    return None


def key_named(text: str) -> str | None:
    """Return the toolkit's name of a key, which may be written as a person calls it; else None."""
    *modifiers, base = [text] if len(text) == 1 else text.split("+")
    modifiers = [modifier.lower() for modifier in modifiers]
    name = _called(base if len(base) == 1 else base.lower())
    is_known = all(modifier in _MODIFIERS for modifier in modifiers) and _is_name(name)
    return "+".join((*modifiers, name)) if is_known else None


def _called(base: str) -> str:
    from flowtui.terminal.textual_private import character_key

    base = _CALLED.get(base.lower(), base)
    return character_key(base) if len(base) == 1 else base


def _is_name(name: str) -> bool:
    from textual.keys import Keys

    return name in {key.value for key in Keys if key.value.isalnum()} or _is_character(name)


def _is_character(name: str) -> bool:
    """Say whether a key types a character where there is a field."""
    from textual.keys import key_to_character

    if name in ("plus", "minus", "slash", "backslash", "underscore", "space"):
        return True
    found = key_to_character(name)
    return found is not None and found.isprintable() and not found.isspace()


def key_shown(name: str) -> str:
    """Return a key as the keys screen shows it."""
    from flowtui.screens.dialogs.keys import key_name

    return key_name(name)
