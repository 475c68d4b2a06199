"""Why a file is not shown, each as one sentence for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowtui import installation
from flowtui.failures import Failure, NoLongerWanted

if TYPE_CHECKING:
    from flowtui.previews.values import Mode


class PreviewFailed(Failure):
    """The file cannot be shown in this way; `str()` says why."""


class MissingExtra(PreviewFailed):
    """A library that this kind of file needs is not installed; `str()` is what installs it."""

    def __init__(self, extra: str, meanwhile: Mode) -> None:
        super().__init__(installation.adding(extra))
        self.extra = extra
        self.meanwhile = meanwhile
        """The mode in which the file can be shown without it."""


class PreviewCancelled(NoLongerWanted):
    """The reader left before the preview was there."""
