"""The storage of the test registry, which takes no URL but those that were signed.

The signature of a request (S3's SigV4 in a URL, or Azure's SAS) is computed again from what
arrives, byte for byte, so that a client that spells a URL in its own way, or uses it for another
method, is found.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import html
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

if TYPE_CHECKING:
    from tests.unit.fake_registry import FakeRegistry

SIGNATURE = "X-Amz-Signature="
SAS_SIGNATURE = "&sig="
SECRET = b"the storage's own secret"
SCOPE = "20261129/eu-north-1/s3/aws4_request"
NO_SUCH_UPLOAD = b"<Error><Code>NoSuchUpload</Code></Error>"


def presigned(method: str, host: str, path: str, query: dict[str, str]) -> str:
    """Return the query of a request that S3 takes."""
    signed = {
        **query,
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"AKIATEST/{SCOPE}",
        "X-Amz-Date": "20261129T000000Z",
        "X-Amz-Expires": "43200",
        "X-Amz-SignedHeaders": "host",
    }
    pairs = [f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in signed.items()]
    asked = "&".join(sorted(pairs))
    return f"{asked}&{SIGNATURE}{_s3_signature(method, host, path, asked)}"


def _s3_signature(method: str, host: str, path: str, query: str) -> str:
    canonical = "\n".join([method, path, query, f"host:{host}", "", "host", "UNSIGNED-PAYLOAD"])
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = f"AWS4-HMAC-SHA256\n20261129T000000Z\n{SCOPE}\n{digest}"
    key = b"AWS4" + SECRET
    for step in SCOPE.split("/"):
        key = hmac.new(key, step.encode(), hashlib.sha256).digest()
    return hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()


def shared_access(permission: str, path: str) -> str:
    """Return the query of a URL that Azure takes, for `r`, `cw` or `d`."""
    signature = quote(_sas_signature(permission, path), safe="")
    return (
        f"sv=2025-05-05&se=2026-11-30T00%3A00%3A00Z&sr=b&sp={permission}{SAS_SIGNATURE}{signature}"
    )


def _sas_signature(permission: str, path: str) -> str:
    signed = f"{permission}\n2026-11-30T00:00:00Z\n{path}".encode()
    return base64.b64encode(hmac.new(SECRET, signed, hashlib.sha256).digest()).decode()


class StorageAnswers:
    """Answers what signed URLs lead to."""

    def __init__(self, request: Any) -> None:
        self.request = request
        self.fake: FakeRegistry = request.registry
        self.is_azure = self.fake.faults.kind == "azure"
        self.key = request.path_parts[2].partition("-run")[0] if len(request.path_parts) > 2 else ""

    def answer(self) -> None:
        request = self.request
        if request.headers.get("Authorization"):
            self.fake.complaints.append("the storage got the registry's key")
        if not (self._is_sas_good() if self.is_azure else self._is_presigned()):
            self.fake.complaints.append(f"a {request.command} with a wrong signature")
            request.reply(403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>")
            return
        match request.command:
            case "PUT" if request.query.get("comp") == "blocklist":
                self._complete_blocks()
            case "PUT":
                self._put()
            case "POST" if "uploads" in request.query:
                self._begin()
            case "POST":
                self._complete()
            case "GET":
                self._get()
            case "DELETE":
                self._delete()

    def _is_presigned(self) -> bool:
        target = urlsplit(self.request.path)
        asked, mark, signature = target.query.rpartition(f"&{SIGNATURE}")
        host = self.request.headers["Host"]
        made = _s3_signature(self.request.command, host, target.path, asked)
        return bool(mark) and hmac.compare_digest(made, signature)

    def _is_sas_good(self) -> bool:
        query = self.request.query
        needed = {"GET": "r", "PUT": "cw", "DELETE": "d"}.get(self.request.command)
        path = urlsplit(self.request.path).path
        return query.get("sp") == needed and query.get("sig") == _sas_signature(needed or "", path)

    # Uploading -------------------------------------------------------------------------------

    def _part_number(self) -> int | None:
        """Return which part is sent; None for a whole file."""
        query = self.request.query
        if not self.is_azure:
            return int(query["partNumber"]) if "partNumber" in query else None
        if query.get("comp") != "block":
            if self.request.headers.get("x-ms-blob-type") != "BlockBlob":
                self.fake.complaints.append("no x-ms-blob-type")
            return None
        try:
            name = base64.b64decode(query["blockid"], validate=True).decode()
        except (KeyError, binascii.Error):
            self.fake.complaints.append("a block without an id in base 64")
            return 0
        return int(name.removeprefix("block-"))

    def _put(self) -> None:
        request, fake = self.request, self.fake
        fake.calls["put"] += 1
        if request.headers.get("Transfer-Encoding") or "Content-Length" not in request.headers:
            fake.complaints.append("a body without its length")
        fault = request.fault(fake.faults.puts)
        if fault in ("drop", "stall"):
            request.rfile.read(min(1_000, int(request.headers["Content-Length"])))
            if fault == "stall":
                fake.stalled.set()
                fake.released.wait()
            request.drop()
        data = request.body()
        if fault == "late":
            fake.released.wait()
            fault = "400"
        if fault.isdigit():
            request.reply(int(fault), b"<Error><Code>Refused</Code></Error>")
            return
        if fault == "forgotten":
            fake.parts.pop(self.key, None)
            fake.upload_ids.pop(self.key, None)
        if fault == "short":
            data = data[:-1]
        number = self._part_number()
        if number is None:
            fake.stored[self.key] = data
        elif not self.is_azure and request.query["uploadId"] != fake.upload_ids.get(self.key):
            request.reply(404, NO_SUCH_UPLOAD)
            return
        else:
            with fake.lock:
                fake.parts.setdefault(self.key, {})[number] = data
        request.reply(201 if self.is_azure else 200, ETag=f'"{hashlib.md5(data).hexdigest()}"')

    def _begin(self) -> None:
        fake = self.fake
        self.request.body()
        fault = self.request.fault(fake.faults.begins)
        if fault.isdigit():
            self.request.reply(int(fault))
            return
        fake.calls["begin"] += 1
        # Such an id has to be escaped in XML as well as in URLs.
        upload_id = f"upload & {self.key}/{fake.calls['begin']}+="
        fake.upload_ids[self.key] = upload_id
        fake.parts[self.key] = {}
        self.request.reply(200, f"<R><UploadId>{html.escape(upload_id)}</UploadId></R>".encode())

    def _complete(self) -> None:
        fake = self.fake
        body = self.request.body().decode()
        fault = self.request.fault(fake.faults.completes)
        if fault == "error":
            self.request.reply(200, b"<Error><Code>InternalError</Code></Error>")
            return
        if fault.isdigit():
            self.request.reply(int(fault))
            return
        if fault == "forgotten" or self.request.query["uploadId"] != fake.upload_ids.get(self.key):
            fake.upload_ids.pop(self.key, None)
            self.request.reply(404, NO_SUCH_UPLOAD)
            return
        parts = fake.parts.pop(self.key)
        del fake.upload_ids[self.key]
        named = re.findall(r"<PartNumber>(\d+)</PartNumber><ETag>([^<]*)</ETag>", body)
        etags = [(str(number), f'"{hashlib.md5(parts[number]).hexdigest()}"')
                 for number in sorted(parts)]  # fmt: skip
        if [(number, html.unescape(etag)) for number, etag in named] != etags:
            fake.complaints.append("the parts are not named in their order, with their ETags")
        fake.stored[self.key] = b"".join(parts[number] for number in sorted(parts))
        if fault == "lost":
            self.request.drop()
        self.request.reply(200, b"<CompleteMultipartUploadResult/>")

    def _complete_blocks(self) -> None:
        fake = self.fake
        body = self.request.body().decode()
        fault = self.request.fault(fake.faults.completes)
        if fault.isdigit():
            self.request.reply(int(fault))
            return
        parts = fake.parts.pop(self.key)
        named = [base64.b64decode(name).decode() for name in re.findall(r"<Latest>([^<]*)<", body)]
        if named != [f"block-{number:08d}" for number in sorted(parts)]:
            fake.complaints.append(f"blocks are named {named}")
        fake.stored[self.key] = b"".join(parts[number] for number in sorted(parts))
        self.request.reply(201)

    # Looking ---------------------------------------------------------------------------------

    def _get(self) -> None:
        fake, request = self.fake, self.request
        if request.headers.get("Accept-Encoding") != "identity":
            fake.complaints.append("a file is asked for in any encoding")
        fault = request.fault(fake.faults.looks)
        if fault == "stall":
            fake.stalled.set()
            fake.released.wait()
        if fault in ("drop", "stall"):
            request.drop()
        if fault.isdigit():
            request.reply(int(fault))
            return
        data = fake.stored.get(self.key)
        if data is None:
            request.reply(404, b"<Error><Code>NoSuchKey</Code></Error>")
            return
        etag = _etag(data)
        if request.headers.get("If-Match", etag) != etag:
            request.reply(412, b"<Error><Code>PreconditionFailed</Code></Error>")
            return
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("Range", ""))
        if asked is None or fault == "whole" or fake.faults.ignores_ranges:
            fake.ranges.append((0, len(data)))
            request.reply(200, data, ETag=etag)
            return
        start, end = int(asked[1]), min(int(asked[2] or len(data) - 1) + 1, len(data))
        if start >= len(data):
            request.reply(416, Content_Range=f"bytes */{len(data)}")
            return
        fake.ranges.append((start, end))
        total = (
            {} if fault == "no total" else {"Content_Range": f"bytes {start}-{end - 1}/{len(data)}"}
        )
        request.reply(206, data[start:end], ETag=etag, **total)

    def _delete(self) -> None:
        fault = self.request.fault(self.fake.faults.deletes)
        if fault.isdigit():
            self.request.reply(int(fault))
            return
        self.fake.stored.pop(self.key, None)
        self.request.reply(202 if self.is_azure else 204)


@lru_cache(8)
def _etag(data: bytes) -> str:
    return f'"{hashlib.md5(data).hexdigest()}"'
