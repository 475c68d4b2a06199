"""An upload in parts that the storage forgets while other parts are under way."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from flowtui.registry.errors import UploadForgotten
from flowtui.registry.progress import Meter
from flowtui.registry.sending import Sending
from flowtui.registry.values import Secret, UploadPart, UploadParts, UploadTarget

TARGET = UploadTarget("s3", Secret("https://storage/begin"), True, "place", "bucket")
PARTS = UploadParts(
    tuple(UploadPart(number, number, 1, Secret("https://storage/part")) for number in (1, 2)),
    Secret("https://storage/complete"),
)


class ForgetfulStorage:
    """Loses its first upload when the first part comes, and answers the second one late."""

    def __init__(self) -> None:
        self.begun = 0
        self.is_begun_again = threading.Event()
        self.put_together: dict[int, str] = {}

    def parts(self, *_: object) -> UploadParts:
        return PARTS

    def begin(self, _target: UploadTarget) -> str:
        self.begun += 1
        if self.begun > 1:
            self.is_begun_again.set()
            for thread in threading.enumerate():
                if thread.name == "flow-tui-part":
                    thread.join()
        return f"upload-{self.begun}"

    def put_part(self, _target: UploadTarget, part: UploadPart, *_: object) -> str:
        if self.begun == 1 and part.number == 1:
            raise UploadForgotten("it is gone")
        if self.begun == 1:
            assert self.is_begun_again.wait(20)
            return "of the lost upload"
        return "of the new upload"

    def complete(self, _target: UploadTarget, _url: Secret, names: dict[int, str]) -> bool:
        self.put_together = dict(names)
        return True


def test_a_part_of_a_lost_upload_that_is_answered_late_counts_for_nothing() -> None:
    storage: Any = ForgetfulStorage()
    sending = Sending(TARGET, Path("unread"), 2)
    sending.carry_out(storage, storage, Meter(), lambda: False)
    assert storage.put_together == {1: "of the new upload", 2: "of the new upload"}
    assert sending.sent_bytes == 2
