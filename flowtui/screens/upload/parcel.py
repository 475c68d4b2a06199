"""The contents of an upload: always the run, and the logged models that are marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from flowtui import format as fmt
from flowtui.jobs.upload import Parcel
from flowtui.store.values import Counts, Model
from flowtui.widgets.cells import Line, Piece
from flowtui.widgets.lists.virtual_list import VirtualList

EMBED = "as one artifact: the run's record inside the model's file"


class ParcelLines(VirtualList, inherit_bindings=False):
    """Shows the run, and its models with marks. Posts `Changed` when the marks change."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Move", show=False, id="move.down",
                tooltip="To the next line"),
        Binding("up,k", "move(-1)", "Up", show=False, id="move.up", tooltip="To the line above"),
        Binding("space,enter", "take_along", "Take along", key_display="Space",
                id="upload.take_along", tooltip="Upload this model too, or not"),
    ]  # fmt: skip

    @dataclass
    class Changed(Message):
        """Sent by ParcelLines when the contents of the upload have changed."""

        parcel: Parcel

    def __init__(self) -> None:
        super().__init__(id="parcel")
        self._models: Sequence[Model] = ()
        self._sizes: Mapping[str, int | None] = {}
        self._counts = Counts()
        self._marked: set[str] = set()
        self._embeds = False

    def show_models(
        self, models: Sequence[Model], sizes: Mapping[str, int | None], counts: Counts
    ) -> None:
        """Show these models; a model whose file is missing cannot be marked."""
        self._models, self._sizes, self._counts = models, sizes, counts
        self.resize_content()

    @property
    def parcel(self) -> Parcel:
        """The contents of the upload."""
        marked = tuple(model for model in self._models if model.id in self._marked)
        return Parcel(marked, self._embeds and len(marked) == 1)

    @property
    def line_count(self) -> int:
        return 1 + len(self._models) + (len(self._marked) == 1)

    def line(self, index: int, width: int) -> Line:
        if index == 0:
            word = "inside the model: " if self._embeds and len(self._marked) == 1 else ""
            return [Piece("✓ ", "ok"), Piece("the run  "), Piece(word + self._holds(), "muted")]
        if index > len(self._models):
            return [Piece("☑ " if self._embeds else "☐ ", "accent"), Piece(EMBED)]
        model = self._models[index - 1]
        size = self._sizes.get(model.id)
        mark = "☑ " if model.id in self._marked else "☐ "
        name = fmt.plain(model.name, 100)
        if size is None:
            return [Piece("  "), Piece(name, "muted"), Piece("  its file is missing", "attention")]
        return [Piece(mark, "accent"), Piece(name), Piece(f"  {fmt.size(size)}", "muted")]

    def _holds(self) -> str:
        counts = self._counts
        known = (
            (counts.params, "parameter"),
            (counts.metrics, "metric"),
            (counts.traces, "trace"),
            (counts.samples, "sample"),
            (counts.attachments, "attachment"),
        )
        held = [fmt.count(number, noun) for number, noun in known if number]
        return ", ".join([*held, "annotations"])

    def action_take_along(self) -> None:
        index = self.cursor
        if index > len(self._models):
            self._embeds = not self._embeds
        elif index > 0:
            model = self._models[index - 1]
            if self._sizes.get(model.id) is None:
                return
            self._marked ^= {model.id}
            self._embeds = self._embeds and len(self._marked) == 1
        self.resize_content()
        self.post_message(self.Changed(self.parcel))
