"""A tree of attached files and their folders, of which only the visible lines are made."""

from __future__ import annotations

from typing import ClassVar, TypeAlias

from textual.binding import Binding, BindingType

from flowtui import format as fmt
from flowtui.store.attachments.values import Attachment, FileNode, FileState, FolderNode, Node
from flowtui.told_apart import told_apart
from flowtui.widgets.cells import Line, Piece, Role, fit
from flowtui.widgets.lists.virtual_list import VirtualList
from flowtui.widgets.trees.file_words import WORD_CELLS, word_of_name

NodeKey: TypeAlias = tuple[str, str]
"""The path of a folder and "", or the path of a file and the id of its row."""

UNFOLDED_BELOW_FILES = 500
"""Below how many files all folders are unfolded at first."""
SIZE_CELLS = 9
TIME_CELLS = 16
MIN_NAME_CELLS = 22
LEVEL_CELLS = 2
"""How many cells a level is indented."""
MAX_INDENT_SHARE = 0.5
"""How much of the name's width an indent may take."""
NOTHING = FolderNode("", "", (), 0, 0, None)


def key_of(node: Node) -> NodeKey:
    """Return the key of a node, which stays the same while other files are added or removed."""
    if isinstance(node, FolderNode):
        return node.path, ""
    row = node.attachment.row
    return node.attachment.path, f"row {row.id}" if row is not None else "file"


class FileTree(VirtualList):
    """Shows the contents of a folder. Cursor and folds are kept while files are added.

    Enter and the arrows fold and unfold folders. Posts `Chosen` for files.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l", "unfold", "Fold", key_display="←→", show=False,
                id="move.right", tooltip="Unfold the folder, or go to the first thing in it"),
        Binding("left,h", "fold", "Fold", show=False,
                id="move.left", tooltip="Fold the folder, or go to the folder above"),
        Binding("z", "fold_all", "Fold all", show=False,
                id="files.fold_all", tooltip="Fold all folders, or unfold them"),
    ]  # fmt: skip

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._root = NOTHING
        self._shown: list[tuple[Node, int]] = []
        self._places: dict[NodeKey, int] = {}
        self._is_open: dict[str, bool] = {}
        self._opens_all: bool | None = None
        """Whether folders are unfolded by default; decided when files are first shown."""
        self._filtered_by = ""
        self._names: tuple[int, list[str]] = (0, [])
        """The names of the lines as they are shown, cached with the width they are made for."""
        self._words: dict[str, str] = {}
        """The types of the files that were previewed, by path."""
        self.sorted_by: tuple[str, bool] = ("name", False)
        self._marked: tuple[str, ...] = ()
        """The paths of the files that are marked."""

    # Showing files ---------------------------------------------------------------------------

    def show_tree(self, root: FolderNode, *, filtered_by: str = "") -> None:
        """Show a tree.

        A filtered tree is unfolded, and the folds are as before when the filter is removed. With
        another filter the cursor goes to the first file, unless it is on a file that matches.

        Args:
            root: The folder whose contents are shown.
            filtered_by: The filter that the files match; empty if all files are shown.
        """
        held = None if self.node is None else key_of(self.node)
        if self._opens_all is None and root.file_count and not filtered_by:
            self._opens_all = root.file_count < UNFOLDED_BELOW_FILES
        is_new = filtered_by != self._filtered_by
        self._root, self._filtered_by = root, filtered_by
        nodes = [node for node, _ in self._visible()] if filtered_by and is_new else []
        keys = [key_of(node) for node in nodes if isinstance(node, FileNode)]
        self._lay_out(keys[0] if keys and held not in keys else held)

    def show_note(self, text: str) -> None:
        """Show a text in place of the files: why there are none."""
        self._root, self._shown, self._places = NOTHING, [], {}
        self.resize_content(text)

    def show_type(self, path: str, word: str) -> None:
        """Show the type of a file that was previewed."""
        if self._words.get(path) != word:
            self._words[path] = word
            self.refresh()

    def show_marks(self, paths: tuple[str, ...]) -> None:
        """Show which files are marked, by their paths."""
        self._marked = paths
        self.refresh()

    @property
    def node(self) -> Node | None:
        """The folder or file under the cursor."""
        return self._shown[self.cursor][0] if self.cursor < len(self._shown) else None

    @property
    def attachment(self) -> Attachment | None:
        """The file under the cursor; None if it is a folder."""
        node = self.node
        return node.attachment if isinstance(node, FileNode) else None

    @property
    def root(self) -> FolderNode:
        """The folder whose contents are shown."""
        return self._root

    def go_to(self, path: str) -> bool:
        """Put the cursor on a file, in folders that are unfolded for it; say whether it is here."""
        folder = path
        while (folder := folder.rpartition("/")[0]) and not self._filtered_by:
            self._is_open[folder] = True
        self._lay_out(None)
        for node, _ in self._shown:
            if isinstance(node, FileNode) and node.attachment.path == path:
                self.cursor = self._places[key_of(node)]
                return True
        return False

    def go_to_folder(self, path: str) -> bool:
        """Put the cursor on a folder, if it is shown; say whether it is."""
        at = self._places.get((path, ""))
        if at is not None:
            self.cursor = at
        return at is not None

    def _lay_out(self, held: NodeKey | None) -> None:
        """Make the lines anew, with the cursor on a node, or on the folder that hides it."""
        line = self.cursor - round(self.scroll_y)
        self._shown = list(self._visible())
        self._names = (0, [])
        self._places = {key_of(node): at for at, (node, _) in enumerate(self._shown)}
        at = min(self.cursor, max(len(self._shown) - 1, 0)) if held is None else self._place(held)
        self.resize_content()
        top = 0 if self.scroll_y == 0 else max(at - line, 0)
        self.scroll_to(y=top, animate=False, force=True, immediate=True)
        if at == self.cursor:
            self.keep_cursor_in_sight()
            self.post_message(self.CursorMoved(self, at))
        self.cursor = at
        self.refresh()

    def _place(self, key: NodeKey) -> int:
        path, _ = key
        if key in self._places:
            return self._places[key]
        while path:
            path = path.rpartition("/")[0]
            if (path, "") in self._places:
                return self._places[path, ""]
        return min(self.cursor, max(len(self._shown) - 1, 0))

    def _visible(self) -> list[tuple[Node, int]]:
        shown: list[tuple[Node, int]] = []
        waiting: list[tuple[Node, int]] = [(node, 0) for node in reversed(self._root.children)]
        while waiting:
            node, depth = waiting.pop()
            shown.append((node, depth))
            if isinstance(node, FolderNode) and self._stands_open(node):
                waiting.extend((child, depth + 1) for child in reversed(node.children))
        return shown

    def _stands_open(self, folder: FolderNode) -> bool:
        return bool(self._filtered_by) or self._is_open.get(
            folder.path, self._opens_all is not False
        )

    # Drawing ---------------------------------------------------------------------------------

    @property
    def line_count(self) -> int:
        return len(self._shown)

    @property
    def header_height(self) -> int:
        return 1

    def header_lines(self, width: int) -> list[Line]:
        by, is_descending = self.sorted_by
        titles = {"name": "name", "size": "size", "time": "changed"}
        titles[by] += " ↓" if is_descending else " ↑"
        name_cells, has_word, has_time = self._widths(width)
        pieces = [Piece(" " + fit(titles["name"], name_cells - 1), "muted")]
        pieces.append(Piece(fit(titles["size"], SIZE_CELLS, "right"), "muted"))
        if has_word:
            pieces.append(Piece("  " + fit("type", WORD_CELLS), "muted"))
        if has_time:
            pieces.append(Piece("  " + fit(titles["time"], TIME_CELLS), "muted"))
        return [pieces]

    def _widths(self, width: int) -> tuple[int, bool, bool]:
        """Return the width of the names, and whether there is room for the type and the time."""
        room = width - SIZE_CELLS - 1
        has_word = room - WORD_CELLS - 2 >= MIN_NAME_CELLS
        room -= (WORD_CELLS + 2) * has_word
        has_time = room - TIME_CELLS - 2 >= MIN_NAME_CELLS
        return room - (TIME_CELLS + 2) * has_time, has_word, has_time

    def line(self, index: int, width: int) -> Line:
        node, depth = self._shown[index]
        name_cells, has_word, has_time = self._widths(width)
        indent = _indent(depth, name_cells)
        name = self._named(name_cells)[index]
        if isinstance(node, FolderNode):
            mark = "▾ " if self._stands_open(node) else "▸ "
            pieces = [Piece(indent + mark, "muted")]
            pieces.append(Piece(fit(f"{name}/", name_cells - len(indent) - 2), "title"))
            size, at = fmt.size(node.size_bytes), node.latest_at
            word = fmt.count(node.file_count, "file")
        else:
            pieces, at = [], node.attachment.at
            said, role = state_of(node.attachment)
            room = max(name_cells - len(indent) - 2 - _said_cells(said), 1)
            is_missing = node.attachment.is_missing
            role_of_name: Role = "muted" if is_missing else "text"
            pieces.append(Piece(f"{indent}  {fit(name, room)}", role_of_name))
            if node.attachment.path in self._marked:
                pieces[-1:] = [
                    Piece(f"{indent}● ", "accent"), Piece(fit(name, room), role_of_name)
                ]  # fmt: skip
            pieces += [Piece(f" {said}", role)] if said else []
            known = node.attachment.size_bytes
            size = "" if known is None else fmt.size(known)
            word = self._words.get(node.attachment.path) or word_of_name(node.name)
        pieces.append(Piece(fit(size, SIZE_CELLS, "right"), "muted" if has_word else "text"))
        if has_word:
            pieces.append(Piece("  " + fit(word, WORD_CELLS), "muted"))
        if has_time:
            time = "" if at is None else fmt.when_short(at)
            pieces.append(Piece("  " + fit(time, TIME_CELLS), "muted"))
        return pieces

    def _named(self, cells: int) -> list[str]:
        """Return the names of all lines, cut so that they still differ within their folder.

        A name is cut rather than the words that say what is wrong with the file.
        """
        if self._names[0] != cells:
            beside: dict[str, list[int]] = {}
            for at, (node, _) in enumerate(self._shown):
                beside.setdefault(key_of(node)[0].rpartition("/")[0], []).append(at)
            names = [""] * len(self._shown)
            for places in beside.values():
                rooms = [self._room(at, cells) for at in places]
                labels = told_apart([self._shown[at][0].name for at in places], rooms)
                for at, label in zip(places, labels, strict=True):
                    names[at] = label
            self._names = cells, names
        return self._names[1]

    def _room(self, at: int, cells: int) -> int:
        """Return the width for a name: without a folder's slash, or a file's state."""
        node, depth = self._shown[at]
        room = cells - len(_indent(depth, cells)) - 2
        if isinstance(node, FolderNode):
            return room - 1
        return room - _said_cells(state_of(node.attachment)[0])

    # Folding ---------------------------------------------------------------------------------

    def action_choose(self) -> None:
        node = self.node
        if isinstance(node, FolderNode):
            self._set_open(node, not self._stands_open(node))
        else:
            super().action_choose()

    def action_unfold(self) -> None:
        node = self.node
        if isinstance(node, FolderNode):
            if self._stands_open(node):
                self.cursor += 1
            else:
                self._set_open(node, True)

    def action_fold(self) -> None:
        node = self.node
        if isinstance(node, FolderNode) and self._stands_open(node) and not self._filtered_by:
            self._set_open(node, False)
        elif self.cursor < len(self._shown):
            self._go_up(self._shown[self.cursor][1])

    def _go_up(self, depth: int) -> None:
        above = range(self.cursor - 1, -1, -1)
        self.cursor = next((at for at in above if self._shown[at][1] < depth), self.cursor)

    def action_fold_all(self) -> None:
        any_open = any(
            isinstance(node, FolderNode) and self._stands_open(node) for node, _ in self._shown
        )
        held = self.node
        self._is_open.clear()
        self._opens_all = not any_open
        self._lay_out(None if held is None else key_of(held))

    def _set_open(self, folder: FolderNode, is_open: bool) -> None:
        if not self._filtered_by:
            self._is_open[folder.path] = is_open
            self._lay_out(key_of(folder))


def _indent(depth: int, cells: int) -> str:
    return " " * (1 + min(LEVEL_CELLS * depth, int(cells * MAX_INDENT_SHARE)))


def _said_cells(said: str) -> int:
    return len(said) + 1 if said else 0


def state_of(attachment: Attachment) -> tuple[str, Role]:
    """Return what is wrong with a file in a word or two; empty if nothing is wrong."""
    if attachment.state is FileState.REFUSED:
        return "▲ refused", "attention"
    if attachment.is_missing:
        return "✗ missing", "error"
    return ("no row", "muted") if attachment.is_orphan else ("", "text")
