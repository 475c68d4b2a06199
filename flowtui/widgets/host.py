"""What the screens and widgets of flow-tui know of the app that they are on.

They stand below the app and do not import it. Most of what they ask of it is Textual's own, which a
`Protocol` could only repeat: so this is a base class, and `FlowApp` fills in what is left open.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flowtui.terminal.session import Session
from flowtui.terminal.textual_private import InternalApp

if TYPE_CHECKING:
    from flowtui.store.annotations.values import Target
    from flowtui.store.values import Run
    from flowtui.widgets.frame.frame import Frame


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line chose."""

    tab: str = "overview"
    theme: str | None = None
    read_only: bool = False
    user: str = ""
    """Author of annotations."""
    is_slow: bool = False
    """Whether the link is said to be slow; over SSH it is measured too."""


class Host(InternalApp):
    """An app over one store, as its screens and widgets see it."""

    options: Options
    session: Session
    """What the terminal and its session can do."""
    store_label: str
    """The store's folder, as a person would write it; raw."""
    typed_at_s: float
    """When the key that is under way was typed, by the monotonic clock."""

    @property
    def frame(self) -> Frame | None:
        """What the lines around the tabs say at this moment; None while no run is open."""
        raise NotImplementedError

    # Where one is ----------------------------------------------------------------------------

    def open_run(self, run: Run) -> object:
        """Show a run; the tabs of another one that was open are closed."""
        raise NotImplementedError

    def show_runs(self) -> None:
        """Go to the list of runs; the run's tabs stay as they are."""
        raise NotImplementedError

    def show_tab(self, tab: str) -> object:
        """Go to a tab of the open run."""
        raise NotImplementedError

    def follow(self, target: Target, back_to: str) -> object:
        """Show a span, or a sample, on its own tab, from where Esc leads back to another."""
        raise NotImplementedError

    def show_frame(self) -> None:
        """Show in every tab what the frame says by now."""
        raise NotImplementedError

    def action_redraw(self) -> None:
        """Paint everything again: another program may have written on the screen."""
        raise NotImplementedError

    # In the background -----------------------------------------------------------------------

    def action_upload(self) -> None:
        """Show the upload that is under way, or ask what to upload of the run in sight."""
        raise NotImplementedError

    def show_upload(self) -> None:
        """Show in every tab how far the upload is; what it noted in the store is looked for."""
        raise NotImplementedError

    def retry_upload(self) -> None:
        """Begin the upload that failed once more, from where it was."""
        raise NotImplementedError

    def end_upload(self) -> None:
        """End the upload that is under way, or put away one that is over."""
        raise NotImplementedError

    def open_collector(self) -> None:
        """Show the receiver of spans that runs, or start one for the open run."""
        raise NotImplementedError

    # What leaves the app ---------------------------------------------------------------------

    def copy(self, text: str) -> None:
        """Send text to the clipboard, and say how that went."""
        raise NotImplementedError

    def page(self, text: str) -> None:
        """Show a text, safe lines, in the person's pager; the app stands still meanwhile."""
        raise NotImplementedError

    def report_bug(self, error: BaseException, *, is_asked: bool = False) -> None:
        """Say that something failed in a way that it should not, and keep the details.

        Args:
            error: Said and written down once; the same again, while a session lasts, adds nothing.
            is_asked: Whether a key led to it, which is answered again when the words have gone.
        """
        raise NotImplementedError
