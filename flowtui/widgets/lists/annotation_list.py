"""The annotations of one span or sample, each with its rationale under it."""

from __future__ import annotations

from collections.abc import Sequence

from flowtui import clock
from flowtui.store.annotations.values import Annotation, raw_text
from flowtui.widgets.cells import Line, Piece, Role
from flowtui.widgets.lists.annotation_lines import AnnotationLine, age, annotation_lines
from flowtui.widgets.lists.virtual_list import VirtualList, width_beside_bar

MARK = "▎"


class AnnotationList(VirtualList):
    """Shows annotations under their count.

    The cursor goes from line to line, so that a long rationale can be read. A bar marks all lines
    of the annotation under the cursor. Enter unfolds its long texts, or folds them again.
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._annotations: Sequence[Annotation] = ()
        self._placed: list[AnnotationLine] = []
        self._open: set[str] = set()
        """Ids of the annotations whose long texts are shown whole."""
        self._placed_width = 0
        self._shown_ages: list[str] = []

    def show_annotations(self, annotations: Sequence[Annotation], note: str = "") -> None:
        """Show annotations, keep the cursor on its annotation, and repaint only changed lines.

        Args:
            annotations: The annotations in their order.
            note: The text to show if there are no annotations.
        """
        old_count, self._annotations = len(self._annotations), annotations
        self._place(note, is_new_title=old_count != len(annotations))

    def show_ages(self) -> None:
        """Show how old they are by now; where no age reads differently, nothing is laid out."""
        if self._annotations and self._ages() != self._shown_ages:
            self._place(self._note)

    def _ages(self) -> list[str]:
        now = clock.now()
        return [age(one, now) for one in self._annotations]

    @property
    def annotation(self) -> Annotation | None:
        """The annotation under the cursor."""
        owner = self._owner(self.cursor)
        return next((one for one in self._annotations if one.id == owner), None)

    @property
    def _text_width(self) -> int:
        return width_beside_bar(self) - len(MARK)

    @property
    def copy_text(self) -> str:
        """The annotation under the cursor as text in full."""
        if (annotation := self.annotation) is None:
            return ""
        said = f"{annotation.name}: {raw_text(annotation.value)}"
        return f"{said}\n{annotation.rationale}" if annotation.rationale else said

    def _owner(self, index: int) -> str:
        return self._placed[index].owner if 0 <= index < len(self._placed) else ""

    def _place(self, note: str, is_new_title: bool = False) -> None:
        width, now = self._text_width, clock.now()
        placed = [
            line
            for one in self._annotations
            for line in annotation_lines(one, width, now, one.id in self._open)
        ]
        held = self._owner(self.cursor)
        self._placed_width, self._shown_ages = width, self._ages()
        old, self._placed = self._placed, placed
        if len(old) != len(placed) or (not placed and note != self._note):
            if self._owner(self.cursor) != held:
                owners = [line.owner for line in placed]
                index = owners.index(held) if held in owners else self.cursor
                self.set_reactive(AnnotationList.cursor, self.validate_cursor(index))
            self.set_reactive(AnnotationList.cursor, self.validate_cursor(self.cursor))
            self.resize_content(note)
            self.keep_cursor_in_sight()
        else:
            for index, (before, after) in enumerate(zip(old, placed, strict=True)):
                if before != after:
                    self.refresh_index(index)
            if is_new_title:
                self._repaint_cursor()
        self.refresh_bindings()

    # Drawing ---------------------------------------------------------------------------------

    @property
    def line_count(self) -> int:
        return len(self._placed)

    @property
    def header_height(self) -> int:
        return 1

    def header_lines(self, width: int) -> list[Line]:
        role: Role = "accent" if self.has_focus else "title"
        return [[Piece(" Annotations", role), Piece(f"  {len(self._annotations):,}", "muted")]]

    def line(self, index: int, width: int) -> Line:
        placed = self._placed[index]
        is_marked = self.has_focus and placed.owner == self._owner(self.cursor)
        return [Piece(MARK if is_marked else " ", "accent"), *placed.pieces]

    def watch_cursor(self, old: int, new: int) -> None:
        super().watch_cursor(old, new)
        owners = {self._owner(old), self._owner(new)}
        if len(owners) > 1:
            self._repaint_owners(owners)
        self.refresh_bindings()

    def _repaint_owners(self, owners: set[str]) -> None:
        for index, line in enumerate(self._placed):
            if line.owner in owners:
                self.refresh_index(index)

    def _repaint_cursor(self) -> None:
        super()._repaint_cursor()
        self._repaint_owners({self._owner(self.cursor)})

    def on_resize(self) -> None:
        if self._text_width != self._placed_width:
            self._place(self._note)

    # Long texts ------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "choose" or self._can_unfold

    @property
    def _can_unfold(self) -> bool:
        owner = self._owner(self.cursor)
        is_cut = any(line.is_cut for line in self._placed if line.owner == owner)
        return is_cut or owner in self._open

    def action_choose(self) -> None:
        if self._can_unfold:
            self._open ^= {self._owner(self.cursor)}
            self._place(self._note)
