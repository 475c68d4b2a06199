"""The list of the artifacts in a registry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from flowtui import format as fmt
from flowtui.registry.artifacts import RegistryArtifact
from flowtui.widgets.cells import Line, Piece, fit
from flowtui.widgets.lists.virtual_list import VirtualList

NARROW, NARROW_PLACE_CELLS = 90, 20
"""In less than so many cells the column of places is only so wide."""
PLACE_CELLS, SIZE_CELLS, WHEN_CELLS, BY_CELLS, HERE_CELLS = 26, 9, 16, 12, 4
LEAST_NAME_CELLS = 16
STATUSES = {
    "pending_upload": "pending",
    "upload_failed": "failed",
    "pending_deletion": "deleted",
    "deletion_failed": "not deleted",
}
"""Short words for the other statuses."""


class ArtifactLines(VirtualList):
    """Shows artifacts, each on a line; columns that do not fit are left out from the right."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Open", key_display="Enter",
                id="registry.open", tooltip="Open this run where it lies, read-only"),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__(id="artifacts")
        self._artifacts: Sequence[RegistryArtifact] = ()
        self._local: frozenset[str] = frozenset()

    def show_artifacts(
        self, shown: Sequence[RegistryArtifact], local: frozenset[str], note: str = ""
    ) -> None:
        """Show artifacts; a mark tells those whose runs have one of these local ids."""
        self._artifacts, self._local = shown, local
        self.set_reactive(ArtifactLines.cursor, self.validate_cursor(self.cursor))
        self.resize_content(note)

    @property
    def artifact(self) -> RegistryArtifact | None:
        """The one under the cursor."""
        return self._artifacts[self.cursor] if self.cursor < len(self._artifacts) else None

    @property
    def is_at_end(self) -> bool:
        return self.cursor >= len(self._artifacts) - 1

    @property
    def line_count(self) -> int:
        return len(self._artifacts)

    @property
    def header_height(self) -> int:
        return 1

    def header_lines(self, width: int) -> list[Line]:
        cells = ("name", "orbit / collection", "size", "uploaded", "by", "here", "tags")
        return [[Piece(text, "muted") for text in _columns(cells, width)]]

    def line(self, index: int, width: int) -> Line:
        one = self._artifacts[index]
        # First, so that no long name hides that it cannot be opened.
        opens = one.is_there and one.holds_a_run
        status = "" if opens else f"▲ {_why_not(one)}: "
        cells = (
            fmt.plain(status + one.name, 200),
            fmt.plain(f"{one.to.orbit.name} / {one.to.collection.name}", 200),
            fmt.size(one.size_bytes),
            fmt.when_sent(one.created_at),
            fmt.plain(one.created_by, 60),
            "✓" if one.run_id in self._local else "",
            fmt.plain(", ".join(one.tags), 200),
        )
        name, *others = _columns(cells, width)
        return [
            Piece(name, "text" if opens else "attention"),
            *(Piece(text, "muted") for text in others),
        ]


def _why_not(one: RegistryArtifact) -> str:
    return "no run in it" if one.is_there else STATUSES.get(one.status, one.status)


def _columns(cells: Sequence[str], width: int) -> list[str]:
    """Return the texts of a line in columns; the name takes what the others leave."""
    place_cells = PLACE_CELLS if width >= NARROW else NARROW_PLACE_CELLS
    widths = [place_cells, SIZE_CELLS, WHEN_CELLS, BY_CELLS, HERE_CELLS]
    while widths and sum(widths) + 2 * len(widths) + LEAST_NAME_CELLS > width:
        widths.pop()
    left = width - sum(widths) - 2 * len(widths)
    name_cells = min(left, max(LEAST_NAME_CELLS, left * 2 // 3)) if len(widths) == 5 else left
    texts = [fit(cells[0], name_cells)]
    for index, (text, room) in enumerate(zip(cells[1:], widths, strict=False)):
        texts.append("  " + fit(text, room, "right" if index == 1 else "left"))
    if len(widths) == 5 and left - name_cells > 4:
        texts.append("  " + fit(cells[6], left - name_cells - 2))
    return texts
