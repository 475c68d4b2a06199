"""Files that differ in one number of their paths only, as those of one step after another do."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

_NUMBER = re.compile("[0-9]+")


@dataclass(frozen=True, slots=True)
class FileSeries:
    """The files of a series, in the order of their numbers, and the one that is looked at."""

    paths: tuple[str, ...]
    at: int

    @property
    def path(self) -> str:
        return self.paths[self.at]

    def neighbour(self, by: int) -> FileSeries | None:
        """Return the series at the file that is so many further on, None beyond the ends."""
        at = self.at + by
        return replace(self, at=at) if 0 <= at < len(self.paths) else None

    @property
    def told(self) -> str:
        return f"{self.at + 1:,} of {len(self.paths):,}"


def series_of(path: str, paths: Iterable[str]) -> FileSeries | None:
    """Return the series that a file belongs to: of its numbers, the last that others have too.

    `images/step_100.png` and `images/step_200.png` are one, and so are `100/mask.png` and
    `200/mask.png`.
    """
    known = tuple(paths)
    for number in reversed(list(_NUMBER.finditer(path))):
        before, after = path[: number.start()], path[number.end() :]
        found = []
        for one in known:
            if one.startswith(before) and one.endswith(after):
                between = one[len(before) : len(one) - len(after)]
                # Two equal ends may overlap in a shorter path.
                if _NUMBER.fullmatch(between) and before + between + after == one:
                    found.append((int(between), one))
        if len(found) > 1:
            ordered = tuple(one for _, one in sorted(found))
            return FileSeries(ordered, ordered.index(path))
    return None
