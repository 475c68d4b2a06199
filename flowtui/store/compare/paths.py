"""Where a value is inside the parameters of a run, and how that is written."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import TypeAlias

Root: TypeAlias = str | bytes
"""The key of a parameter; bytes for one that a broken store has under something else than text."""
Path: TypeAlias = tuple[Root | int, ...]
"""The key, and then the names and indexes under which a value is inside of it."""

_ALWAYS_QUOTED = re.compile(r'["\[\]]|^$')


def path_texts(paths: Sequence[Path]) -> list[str]:
    """Return paths as text, all different: `sched.warmup`, `layers[3]`.

    The key `a.b` reads as `b` inside `a` does. Only where both are among the paths, it is quoted.
    """
    texts = [_text(path, quotes_dots=False) for path in paths]
    counts = Counter(texts)
    return [
        text if counts[text] == 1 else _text(path, quotes_dots=True)
        for text, path in zip(texts, paths, strict=True)
    ]


def _text(path: Path, quotes_dots: bool) -> str:
    written = ""
    for step in path:
        if isinstance(step, int):
            written += f"[{step}]"
            continue
        if isinstance(step, bytes):
            name = f"[{step.decode('utf-8', 'surrogateescape')}]"
        else:
            is_quoted = _ALWAYS_QUOTED.search(step) or (quotes_dots and "." in step)
            name = json.dumps(step, ensure_ascii=False) if is_quoted else step
        written += f".{name}" if written else name
    return written
