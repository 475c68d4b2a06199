"""Which files of a run are marked to be compared."""

from __future__ import annotations


class MarkedFiles:
    """Holds the paths of at most two files, in the order of marking."""

    def __init__(self) -> None:
        self.paths: tuple[str, ...] = ()

    def toggle(self, path: str) -> None:
        """Mark a file, or unmark it; the one that was marked first gives way to a third."""
        held = tuple(one for one in self.paths if one != path)
        self.paths = held if len(held) < len(self.paths) else (*held[-1:], path)

    def pair(self, path: str | None) -> tuple[str, str] | None:
        """Return two files to compare: the marked ones, or the marked one and the given one."""
        paths = self.paths
        if len(paths) == 1 and path is not None and path not in paths:
            paths = (*paths, path)
        return (paths[0], paths[1]) if len(paths) == 2 else None
