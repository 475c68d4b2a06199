"""A list of logged models."""

from __future__ import annotations

from collections.abc import Sequence

from flowtui import format as fmt
from flowtui.store.values import Model
from flowtui.told_apart import ListedNames
from flowtui.widgets.cells import Line, Piece, Role, fit
from flowtui.widgets.lists.virtual_list import VirtualList

SIZE_CELLS = 10
CREATED_CELLS = 18
MIN_NAME_CELLS = 16
TITLE = "Logged models"


class ModelList(VirtualList):
    """Shows models under a title: name and size, and if there is room creation time, tags, path."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.empty_text = ""
        self._models: Sequence[Model] = ()
        self._names = ListedNames()

    def show_models(self, models: Sequence[Model], empty_text: str, problem: str = "") -> None:
        """Show these models.

        Args:
            models: The models in their order.
            empty_text: A hint beside the title if there are no models.
            problem: Why the models cannot be read; empty if they can be.
        """
        self.empty_text = empty_text
        self._models = models
        self._names = ListedNames([model.name for model in models])
        self.set_reactive(ModelList.cursor, self.validate_cursor(self.cursor))
        self.resize_content(problem)

    @property
    def model(self) -> Model | None:
        """The model under the cursor."""
        return self._models[self.cursor] if self.cursor < len(self._models) else None

    @property
    def line_count(self) -> int:
        return len(self._models)

    @property
    def header_height(self) -> int:
        return 1

    def header_lines(self, width: int) -> list[Line]:
        role: Role = "accent" if self.has_focus else "title"
        if not self._models:
            return [[Piece(" "), Piece(TITLE, role), Piece(f"  {self.empty_text}", "muted")]]
        count = fit(f" {len(self._models):,}", self._name_cells(width) - len(TITLE) - 1)
        pieces = [Piece(" "), Piece(TITLE, role), Piece(count, "muted")]
        pieces.append(Piece(fit("size", SIZE_CELLS, "right"), "muted"))
        if self._has_more(width):
            pieces.append(Piece(f"  {fit('created', CREATED_CELLS)}tags, path", "muted"))
        return [pieces]

    def line(self, index: int, width: int) -> Line:
        model = self._models[index]
        size = "" if model.size_bytes is None else fmt.size(model.size_bytes)
        room = self._name_cells(width) - 1
        name = fit(self._names.label(index, room), room)
        pieces = [Piece(" "), Piece(name), Piece(fit(size, SIZE_CELLS, "right"))]
        if self._has_more(width):
            created = "" if model.created_at is None else fmt.when_short(model.created_at)
            pieces.append(Piece(f"  {fit(created, CREATED_CELLS)}", "muted"))
            pieces.append(Piece("  ".join(fmt.plain(tag, 40) for tag in model.tags)))
            pieces.append(Piece(f"  {fmt.plain(model.path or '', 300)}", "muted"))
        if model.problem:
            pieces.append(Piece(f"  ▲ {fmt.plain(model.problem, 200)}", "attention"))
        return pieces

    def _name_cells(self, width: int) -> int:
        return max(MIN_NAME_CELLS, min(30, width - SIZE_CELLS))

    def _has_more(self, width: int) -> bool:
        return width >= 30 + SIZE_CELLS + CREATED_CELLS + 12
