"""Brings the bytes of one artifact to the storage, in one piece or in parts."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from flowtui.registry.errors import UploadForgotten, UrlExpired
from flowtui.registry.progress import Phase
from flowtui.registry.threads import each
from flowtui.registry.values import UploadPart, UploadParts, UploadTarget
from flowtui.store.cancelling import Cancelled

if TYPE_CHECKING:
    from flowtui.registry.client import Registry
    from flowtui.registry.progress import Meter
    from flowtui.registry.storage import Storage

PARALLEL_PARTS = 4
MAX_BEGINS = 2
"""How often an upload in parts is begun again after the storage has forgotten it."""
MAX_FRESH_URLS = 3
"""How often URLs are renewed in a row without a part getting through."""


@dataclass
class Sending:
    """One artifact on its way; what has got through is remembered, so that it can go on later."""

    target: UploadTarget
    path: Path
    size_bytes: int
    upload_id: str | None = None
    is_begun: bool = False
    names: dict[int, str] = field(default_factory=dict)
    """What the storage calls the parts that it has, by their numbers."""
    sizes_bytes: dict[int, int] = field(default_factory=dict)
    """The sizes of those parts."""
    is_acknowledged: bool = True
    """Whether the storage has said that it put the parts together."""

    @property
    def sent_bytes(self) -> int:
        return sum(self.sizes_bytes.copy().values())

    def carry_out(
        self, registry: Registry, storage: Storage, meter: Meter, cancelled: Cancelled
    ) -> None:
        """Send what is missing.

        Raises:
            UrlExpired: The one URL of a file in one piece is too old; it needs a new artifact.
            NotAllowed: The file is too large for what the key's owner may do.
            StorageFailed, Unreachable: Several tries failed; it can be carried out again.
            UploadCancelled: It was cancelled.
        """
        if not self.target.is_multipart:
            count = meter.counter()
            storage.put_file(self.target, self.path, self.size_bytes, count, cancelled)
            return
        for is_last in (*[False] * MAX_BEGINS, True):
            if not self.is_begun:
                # The URL of an entry opens another upload when the storage has lost the one before.
                self.upload_id = storage.begin(self.target)
                self.is_begun = True
            try:
                parts = self._send_parts(registry, storage, meter, cancelled)
                self._complete(registry, storage, parts)
                return
            except UploadForgotten:
                self._forget(meter)
                if is_last:
                    raise

    def _complete(self, registry: Registry, storage: Storage, parts: UploadParts) -> None:
        try:
            self.is_acknowledged = storage.complete(self.target, parts.complete_url, self.names)
        except UrlExpired:
            parts = registry.parts(self.target, self.size_bytes, self.upload_id)
            self.is_acknowledged = storage.complete(self.target, parts.complete_url, self.names)

    def _forget(self, meter: Meter) -> None:
        """Take back what the storage does not have any more."""
        meter.enter(Phase.SENDING, self.size_bytes)
        self.upload_id, self.is_begun = None, False
        # A part of the lost upload that is still being answered for notes itself in the old ones.
        self.names, self.sizes_bytes = {}, {}

    def _send_parts(
        self, registry: Registry, storage: Storage, meter: Meter, cancelled: Cancelled
    ) -> UploadParts:
        count = meter.counter()
        names, sizes_bytes = self.names, self.sizes_bytes
        fruitless = 0

        def send(part: UploadPart, must_end: Cancelled) -> None:
            name = storage.put_part(self.target, part, self.path, count, must_end)
            sizes_bytes[part.number] = part.size_bytes
            names[part.number] = name

        while True:
            parts = registry.parts(self.target, self.size_bytes, self.upload_id)
            missing = [part for part in parts.parts if part.number not in self.names]
            before = len(self.names)
            try:
                each(missing, send, PARALLEL_PARTS, cancelled)
                return parts
            except UrlExpired:
                fruitless = 0 if len(self.names) > before else fruitless + 1
                if fruitless >= MAX_FRESH_URLS:
                    raise
