"""The storage behind the registry, S3 or Azure: bytes to signed URLs, and what it says to them.

It is asked by a client of its own, since its URLs must not come with the registry's key. Methods
block, may be called from any thread, and raise UrlExpired where a URL is refused, UploadForgotten
where an upload in parts is gone, StorageFailed for any other refusal, and Unreachable.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from flowtui.registry import http
from flowtui.registry.errors import (
    RangesIgnored,
    StorageFailed,
    StoredChanged,
    Unreachable,
    UploadCancelled,
    UploadForgotten,
    UrlExpired,
)
from flowtui.registry.http import Headers
from flowtui.registry.values import Secret, UploadPart, UploadTarget
from flowtui.store.archive.values import ArtifactError
from flowtui.store.cancelling import Cancelled
from flowtui.store.closing import Closes

if TYPE_CHECKING:
    import httpx

CHUNK_BYTES = 256 << 10
PLACE = "the storage"
ANSWER_S = 60.0
"""How long each read and write of a connection to the storage may take."""
AZURE = "azure"
NO_SUCH_UPLOAD = "NoSuchUpload"
"""S3's code for an upload in parts that is over, or that a lifecycle rule has removed."""

Sent = Callable[[int], None]
"""Takes how many more bytes are on their way; a negative number when a try begins again."""


class Storage(Closes):
    """Takes files in one piece or in parts, and tells how long they are."""

    def __init__(
        self,
        patience: http.RequestPatience | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.patience = patience or http.RequestPatience()
        self._client = http.new_client(ANSWER_S, transport=transport)

    def close(self) -> None:
        self._client.close()

    def put_file(
        self, target: UploadTarget, path: Path, size_bytes: int, sent: Sent, cancelled: Cancelled
    ) -> None:
        """Send a file in one piece; the same URL takes it again when the connection drops."""
        headers = {"x-ms-blob-type": "BlockBlob"} if target.kind == AZURE else {}
        whole = UploadPart(1, 0, size_bytes, target.url)
        self._put(whole, path, headers, sent, cancelled)

    def put_part(
        self, target: UploadTarget, part: UploadPart, path: Path, sent: Sent, cancelled: Cancelled
    ) -> str:
        """Send a part and return the name by which the parts are put together."""
        answer = self._put(part, path, {}, sent, cancelled)
        if target.kind == AZURE:
            return _block_id(part)
        if not (etag := answer.headers.get("etag", "")):
            raise StorageFailed("the storage answers without an ETag; a proxy may take it out")
        return etag

    def begin(self, target: UploadTarget) -> str | None:
        """Open an upload in parts and return its id; Azure needs none."""
        if target.kind == AZURE:
            return None
        answer = self._ask("POST", target.url, b"")
        found = re.search(rb"<UploadId>([^<]{1,4096})</UploadId>", answer.body)
        if found is None:
            raise StorageFailed("the storage's answer to an upload in parts has no UploadId")
        return html.unescape(found[1].decode("utf-8", "replace"))

    def complete(self, target: UploadTarget, url: Secret, names: Mapping[int, str]) -> bool:
        """Put the parts together; asked again where S3 says in a good answer that it failed.

        Returns:
            Whether the storage has said that it did so. False where a second try finds no upload:
            the first one has succeeded and its answer got lost, or the storage has forgotten it.

        Args:
            target: Where the artifact goes.
            url: The one for completing an upload.
            names: The names of the parts by their numbers.
        """
        in_order = [(number, names[number]) for number in sorted(names)]
        if target.kind == AZURE:
            listed = "".join(f"<Latest>{html.escape(name)}</Latest>" for _, name in in_order)
            self._ask("PUT", url, f"<BlockList>{listed}</BlockList>".encode())
            return True
        listed = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{html.escape(name)}</ETag></Part>"
            for number, name in in_order
        )
        body = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()
        is_first = True

        def attempt() -> bool:
            nonlocal is_first
            was_first, is_first = is_first, False
            answer = self._send("POST", url, content=body)
            if answer.status == 404 and not was_first:
                return False
            _check(answer)
            return True

        return self.patience.retry(attempt, is_passing)

    def size_bytes(self, url: Secret) -> int:
        """Return how long a stored file is; 0 where there is none.

        Raises:
            StorageFailed: The storage does not say.
        """
        answer = self.patience.retry(lambda: self._look(url), is_passing)
        total = answer.headers.get("content-range", "").rpartition("/")[2]
        if answer.status == 206 and total.isdigit():
            return int(total)
        length = answer.headers.get("content-length", "")
        if answer.status == 200 and length.isdigit():
            return int(length)
        # No range of an empty file can be asked for.
        if answer.status in (404, 416):
            return 0
        raise StorageFailed("the storage does not say how much it has; a proxy may take it out")

    def read_range(
        self,
        url: Secret,
        start: int,
        size_bytes: int,
        etag: str,
        take: Callable[[Headers], http.Sink],
        takes_whole: bool = False,
    ) -> None:
        """Read a range of a stored file; asked once.

        Args:
            url: The one for downloading.
            start: Where the range begins.
            size_bytes: How long it is, at least 1.
            etag: What the file must be still; empty where that is not known yet.
            take: Takes the headers of the answer, and returns what takes the bytes.
            takes_whole: Whether a whole file will do, too, where a range begins at its start.

        Raises:
            StoredChanged: It is another file by now.
            RangesIgnored: The server would send all of it.
            UrlExpired: The URL is too old.
            StorageFailed, Unreachable: It cannot be read.
        """
        asked = {
            "Range": f"bytes={start}-{start + size_bytes - 1}",
            "Accept-Encoding": "identity",
            **({"If-Match": etag} if etag else {}),
        }

        def into(status: int, headers: Headers) -> http.Sink | None:
            if status == 200 and takes_whole and start == 0:
                return take(headers)
            if status == 200:
                length = headers.get("content-length", "")
                raise RangesIgnored(int(length) if length.isdigit() else None)
            if status != 206:
                return None
            if headers.get("content-encoding", "identity") != "identity":
                raise StorageFailed("the storage packs what it sends, which nobody asked for")
            if not headers.get("content-range", "").startswith(f"bytes {start}-"):
                raise StorageFailed("the storage sends another range than was asked for")
            return take(headers)

        answer = http.send(
            self._client, "GET", url, PLACE, headers=asked, into=into, patience=self.patience
        )
        if answer.status in (404, 412, 416):
            raise StoredChanged("the file in the storage is another one by now, or gone")
        _check(answer)

    def delete(self, url: Secret) -> None:
        """Remove a stored file; one that is gone already counts as removed."""
        answer = self._send("DELETE", url)
        if answer.status != 404:
            _check(answer)

    def _put(
        self,
        part: UploadPart,
        path: Path,
        headers: Mapping[str, str],
        sent: Sent,
        cancelled: Cancelled,
    ) -> http.Answer:
        # Without a length it would be sent in chunks, which signed URLs do not take.
        length = {"Content-Length": str(part.size_bytes)}

        def attempt() -> http.Answer:
            counted = _Counted(sent)
            try:
                body = _pieces(path, part, counted.add, cancelled)
                return _check(
                    self._send("PUT", part.url, headers={**headers, **length}, content=body)
                )
            except BaseException:
                counted.take_back()
                raise

        return self.patience.retry(attempt, is_passing)

    def _ask(self, method: str, url: Secret, body: bytes) -> http.Answer:
        def attempt() -> http.Answer:
            return _check(self._send(method, url, content=body))

        return self.patience.retry(attempt, is_passing)

    def _send(
        self,
        method: str,
        url: Secret,
        headers: Mapping[str, str] | None = None,
        content: bytes | Iterator[bytes] | None = None,
        with_body: bool = True,
    ) -> http.Answer:
        return http.send(
            self._client,
            method,
            url,
            PLACE,
            headers=headers,
            content=content,
            with_body=with_body,
            patience=self.patience,
        )

    def _look(self, url: Secret) -> http.Answer:
        headers = {"Range": "bytes=0-0", "Accept-Encoding": "identity"}
        answer = self._send("GET", url, headers=headers, with_body=False)
        return answer if answer.status in (404, 416) else _check(answer)


def is_passing(error: Exception) -> bool:
    """Say whether the same request may work a little later."""
    return isinstance(error, Unreachable) or (isinstance(error, StorageFailed) and error.is_passing)


class _Counted:
    """Counts what one try has sent."""

    def __init__(self, sent: Sent) -> None:
        self._sent = sent
        self._count = 0

    def add(self, count: int) -> None:
        self._count += count
        self._sent(count)

    def take_back(self) -> None:
        self._sent(-self._count)


def _pieces(path: Path, part: UploadPart, sent: Sent, cancelled: Cancelled) -> Iterator[bytes]:
    left = part.size_bytes
    try:
        with path.open("rb") as file:
            file.seek(part.start)
            while left > 0:
                if cancelled():
                    raise UploadCancelled("the upload was cancelled")
                data = file.read(min(CHUNK_BYTES, left))
                if not data:
                    raise ArtifactError(f"{path} became shorter while it was sent")
                left -= len(data)
                yield data
                sent(len(data))
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {error.strerror}") from error


def _check(answer: http.Answer) -> http.Answer:
    """Return a good answer; S3 may report a failure in the body of one.

    Raises:
        UrlExpired: The storage refuses the URL.
        StorageFailed: The storage refuses it for any other reason.
    """
    code = _code(answer.body)
    if answer.status == 403:
        raise UrlExpired(f"the storage refuses the URL that the registry made{code}")
    if answer.status == 404 and code.endswith(NO_SUCH_UPLOAD):
        raise UploadForgotten("the storage has forgotten the upload and its parts")
    if answer.status >= 500 or answer.status in (408, 429):
        raise StorageFailed(f"the storage failed ({answer.status}){code}", is_passing=True)
    if not 200 <= answer.status < 300:
        raise StorageFailed(f"the storage did not take it ({answer.status}){code}")
    if b"<Error>" in answer.body:
        raise StorageFailed(f"the storage failed after it had begun to answer{code}", True)
    return answer


def _code(body: bytes) -> str:
    found = re.search(rb"<Code>([\w.-]{1,60})</Code>", body)
    return f": {found[1].decode('ascii', 'replace')}" if found else ""


def _block_id(part: UploadPart) -> str:
    """Return the id of a block: the one in its URL, or as the registry names them."""
    asked = parse_qs(urlsplit(part.url.reveal()).query)
    if named := asked.get("blockid"):
        return named[0]
    return base64.b64encode(f"block-{part.number:08d}".encode()).decode()
