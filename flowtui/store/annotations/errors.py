"""The error that only annotations have; the tree of errors is in errors.py."""

from __future__ import annotations

from flowtui.store.annotations.values import Annotation
from flowtui.store.errors import StoreError


class AnnotationChanged(StoreError):
    """Somebody else changed or deleted the annotation since it was read."""

    def __init__(self, current: Annotation | None) -> None:
        super().__init__(
            "the annotation was deleted by somebody else meanwhile"
            if current is None
            else "the annotation was changed by somebody else meanwhile"
        )
        self.current = current
        """The annotation as it is now; None if it is gone."""
