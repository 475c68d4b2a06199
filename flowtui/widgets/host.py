"""The app as its screens and widgets see it.

They stand below the app and do not import it. Most of what they use is Textual's own, which a
`Protocol` would have to repeat, so this is a base class, and `FlowApp` implements its methods.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from flowtui.terminal.session import Session
from flowtui.terminal.textual_private import InternalApp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flowtui.store.annotations.values import Target
    from flowtui.store.care.values import RecordTable
    from flowtui.store.open_run import OpenRun
    from flowtui.store.store import Store
    from flowtui.store.values import Run
    from flowtui.terminal.placeholders import PlacedPicture
    from flowtui.widgets.frame.frame import Frame


class Options(NamedTuple):
    """The options of the command line."""

    tab: str = "overview"
    theme: str | None = None
    read_only: bool = False
    user: str = ""
    """The author of annotations."""
    is_slow: bool = False
    """Whether the person says that the link is slow; over SSH it is measured as well."""
    theme_of_file: str | None = None
    """The theme that the person's file names, whether or not it is in force."""
    columns: tuple[str, ...] = ()
    """The columns of the list of runs, as a person names them, where none were chosen."""
    pictures: str | None = None
    """How pictures are sent to the terminal, in lower case; None for what the terminal says."""
    keymap: Mapping[str, str] = {}
    """Other keys than the default ones, by the ids of bindings."""
    takes_mouse: bool = True
    """Whether the app takes the mouse, which the terminal then does not use itself."""
    mistakes: tuple[str, ...] = ()
    """What is wrong in the person's file, a sentence each, for a notice at the start."""


class Host(InternalApp):
    """An app that shows one store, as its screens and widgets see it."""

    options: Options
    session: Session
    """What the terminal and its session can do."""
    store_label: str
    """The store's folder as a person would write it, not made safe with `plain`."""
    typed_at_s: float
    """When the key under way was typed, by the monotonic clock."""

    @property
    def frame(self) -> Frame | None:
        """What the lines above and below each tab say now; None while no run is open."""
        raise NotImplementedError

    # Where one is ----------------------------------------------------------------------------

    def open_run(self, run: Run, store: Store | None = None) -> object:
        """Show a run, of another store if one is given, and close the tabs of the one before."""
        raise NotImplementedError

    def show_runs(self) -> None:
        """Show the list of runs; the run's tabs stay as they are."""
        raise NotImplementedError

    def show_tab(self, tab: str) -> object:
        """Show a tab of the open run."""
        raise NotImplementedError

    def follow(self, target: Target, back_to: str) -> object:
        """Show a span or a sample on its own tab, where Esc leads back to the tab `back_to`."""
        raise NotImplementedError

    def compare(self, opened: Sequence[tuple[Store, OpenRun]]) -> object:
        """Show a comparison of runs with their stores, the baseline first."""
        raise NotImplementedError

    def compare_file(self, path: str) -> object:
        """Show how a file that compared runs attached differs, by its path."""
        raise NotImplementedError

    def compare_traces(self, traces: Mapping[str, str]) -> object:
        """Show traces of the compared runs, by letter, side by side."""
        raise NotImplementedError

    def show_frame(self) -> None:
        """Show the present frame in every tab."""
        raise NotImplementedError

    def action_redraw(self) -> None:
        """Draw everything again, as after another program has written on the screen."""
        raise NotImplementedError

    # Editing and deleting --------------------------------------------------------------------

    def edit(self, table: RecordTable, ids: Sequence[str]) -> None:
        """Open the form for rows of the store, of which several are runs."""
        raise NotImplementedError

    def delete(self, table: RecordTable, ids: Sequence[str]) -> None:
        """Ask whether to delete rows of the store, of which several are runs, and do so."""
        raise NotImplementedError

    def undo_edit(self) -> None:
        """Undo the last edit of the session."""
        raise NotImplementedError

    def store_written(self) -> None:
        """Look at once for what was written here."""
        raise NotImplementedError

    async def runs_deleted(self, run_ids: Sequence[str]) -> None:
        """Close the tabs of the open run if it was deleted, and look for what was written."""
        raise NotImplementedError

    # In the background -----------------------------------------------------------------------

    def action_upload(self) -> None:
        """Show the upload that is running, or ask what to upload of the run in sight."""
        raise NotImplementedError

    def show_upload(self) -> None:
        """Show the upload's progress in every tab; after its end, read what it has recorded."""
        raise NotImplementedError

    def retry_upload(self) -> None:
        """Resume the upload that failed."""
        raise NotImplementedError

    def end_upload(self) -> None:
        """End the upload that is running, or dismiss one that is over."""
        raise NotImplementedError

    def open_collector(self) -> None:
        """Show the running receiver of spans, or start one for the open run."""
        raise NotImplementedError

    # What leaves the app ---------------------------------------------------------------------

    def copy(self, text: str) -> None:
        """Send text to the clipboard, and notify the person of the outcome."""
        raise NotImplementedError

    def open_path(self, path: str) -> None:
        """Leave the app for the runs of another tool at a path."""
        raise NotImplementedError

    def open_demo(self) -> None:
        """Leave for the demo store."""
        raise NotImplementedError

    def choose_theme(self, name: str) -> None:
        """Change the colours, here and from now on."""
        raise NotImplementedError

    def send_notice(self, sequence: str) -> None:
        """Send a bell or a notice to the terminal."""
        raise NotImplementedError

    def with_pictures_in_cells(self, then: Callable[[], object]) -> None:
        """Call a function if cells can show pictures in the terminal's own resolution.

        It is called at once, or when the terminal has answered; never where it cannot.
        """
        raise NotImplementedError

    @property
    def cell_px(self) -> tuple[int, int]:
        """The width and height of a cell in pixels."""
        raise NotImplementedError

    def place_picture(self, picture: PlacedPicture, then: Callable[[], object]) -> None:
        """Send a picture in place of the one before, and call `then` when it can be shown."""
        raise NotImplementedError

    def remove_picture(self) -> None:
        """Make the terminal forget the picture, if it has one."""
        raise NotImplementedError

    def page(self, text: str) -> None:
        """Show a text of safe lines in the person's pager; the app waits until that ends."""
        raise NotImplementedError

    def report_bug(self, error: BaseException, *, is_asked: bool = False) -> None:
        """Notify the person of an error in flow-tui itself, and log its details.

        Args:
            error: The error; in one session the same error is logged once.
            is_asked: Whether a key led to it: then it is shown again once the notification has
                gone, and otherwise it is shown once.
        """
        raise NotImplementedError
