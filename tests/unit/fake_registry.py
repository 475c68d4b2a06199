"""A registry and its storage on the loopback, as the protocol has them, with everything that fails.

It serves one organization, its orbits and collections, and takes artifacts in one piece or in
parts. What it must not do, such as taking a signed URL with the registry's key, it answers with an
error and remembers in `complaints`.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flowtui.registry.values import Collection, Destination, Orbit, Organization

KEY = "dfs_" + "k" * 43
SIGNATURE = "X-Amz-Signature=5ec2e7"
PART_BYTES = 100_000
MAX_SINGLE_BYTES = 250_000
ORBITS = [
    {"id": "orb-1", "name": "Vision", "role": "admin",
     "permissions": {"artifact": ["list", "read", "create", "delete"]}},
    {"id": "orb-2", "name": "Shared", "role": "member", "permissions": {"artifact": ["list"]}},
]  # fmt: skip
DESTINATION = Destination(
    Organization("org-1", "Lab", "owner"),
    Orbit("orb-1", "Vision", "admin", frozenset({"create"})),
    Collection("col-1", "Baselines", "experiment", ""),
)


@dataclass
class Faults:
    """What goes wrong, and how often; counts are used up."""

    create: str = ""
    """`500` or `drop`: what becomes of making an entry, which is made all the same."""
    puts: list[str] = field(default_factory=list)
    """What becomes of the next PUTs: `500`, `400`, `403`, `drop`, `stall`, `short`, or `ok`;
    `late` is a 400 that waits until the test lets it go."""
    begins: list[str] = field(default_factory=list)
    completes: list[str] = field(default_factory=list)
    """`error` is an <Error> in a good answer, `lost` is done with no answer."""
    confirms: list[str] = field(default_factory=list)
    """`drop` is not done, `lost` is done with no answer."""
    looks: list[str] = field(default_factory=list)
    forbids_parts: bool = False
    forbids_download: bool = False
    download_only_when_uploaded: bool = False
    orbit_count: int = 2
    kind: str = "s3"


@dataclass
class FakeRegistry:
    url: str = ""
    faults: Faults = field(default_factory=Faults)
    artifacts: dict[str, dict[str, Any]] = field(default_factory=dict)
    stored: dict[str, bytes] = field(default_factory=dict)
    parts: dict[str, dict[int, bytes]] = field(default_factory=dict)
    collections: list[dict[str, Any]] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)
    urls_made: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    released: threading.Event = field(default_factory=threading.Event)
    stalled: threading.Event = field(default_factory=threading.Event)

    def statuses(self) -> list[str]:
        return [artifact["status"] for artifact in self.artifacts.values()]

    def signed(self, path: str) -> str:
        with self.lock:
            self.urls_made += 1
            mark = "&" if "?" in path else "?"
            return f"{self.url}/storage/{path}{mark}n={self.urls_made}&{SIGNATURE}"


@contextmanager
def served() -> Iterator[FakeRegistry]:
    """Serve a registry until the block ends."""
    fake = FakeRegistry()
    fake.collections = [
        {"id": "col-1", "name": "Baselines", "type": "experiment", "description": "first"},
        {"id": "col-2", "name": "Models only", "type": "model", "description": ""},
        {"id": "col-3", "name": "Everything", "type": "mixed", "description": ""},
    ]
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(fake))
    server.daemon_threads = True
    fake.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        fake.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Dropped(Exception):
    """The connection ends without an answer."""


def _handler(fake: FakeRegistry) -> type[BaseHTTPRequestHandler]:
    class Handler(_Handler):
        registry = fake

    return Handler


class _Handler(BaseHTTPRequestHandler):
    registry: FakeRegistry
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def do_PATCH(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def _serve(self) -> None:
        self.path_parts = urlsplit(self.path).path.strip("/").split("/")
        self.query = {key: of[0] for key, of in parse_qs(urlsplit(self.path).query).items()}
        self.is_body_read = False
        try:
            if self.path_parts[0] == "storage":
                _Storage(self).answer()
            else:
                _Rest(self).answer()
        except (_Dropped, ConnectionError):
            self.close_connection = True
            return
        if not self.is_body_read:
            self.close_connection = True

    def body(self) -> bytes:
        self.is_body_read = True
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def reply(self, status: int, body: bytes = b"", **headers: str) -> None:
        if not self.is_body_read and status < 400:
            self.body()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def reply_json(self, document: object, status: int = 200) -> None:
        self.reply(status, json.dumps(document).encode(), Content_Type="application/json")

    def fault(self, of: list[str]) -> str:
        with self.registry.lock:
            return of.pop(0) if of else "ok"


class _Rest:
    """What is under /v1."""

    def __init__(self, request: _Handler) -> None:
        self.request = request
        self.fake = request.registry

    def answer(self) -> None:
        request, fake = self.request, self.fake
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            request.reply_json({"detail": "Invalid API key"}, 401)
            return
        match [request.command, *request.path_parts[1:]]:
            case ["GET", "auth", "api-keys", "validate"]:
                request.reply(204)
            case ["GET", "users", "me", "organizations"]:
                request.reply_json([{"id": "org-1", "name": "Lab", "role": "owner"}])
            case ["GET", "organizations", "org-1", "orbits"]:
                request.reply_json(ORBITS[: fake.faults.orbit_count])
            case ["GET", "organizations", "org-1", "orbits", "orb-1", "collections"]:
                self._collections()
            case ["POST", "bucket-secrets", "upload", "multipart"]:
                self._multipart(json.loads(request.body()))
            case [_, "organizations", "org-1", "orbits", "orb-1", "collections", _, "artifacts",
                  *rest]:  # fmt: skip
                self._artifact(rest)
            case _:
                request.reply_json({"detail": "Not Found"}, 404)

    def _collections(self) -> None:
        query = self.request.query
        found = [
            one for one in self.fake.collections if query.get("search", "") in str(one["name"])
        ]
        start = int(query.get("cursor", 0))
        end = start + int(query["limit"])
        cursor = str(end) if end < len(found) else None
        self.request.reply_json({"items": found[start:end], "cursor": cursor})

    def _artifact(self, rest: list[str]) -> None:
        match [self.request.command, *rest]:
            case ["GET"]:
                self.request.reply_json(
                    {"items": list(self.fake.artifacts.values()), "cursor": None}
                )
            case ["POST"]:
                self._create(json.loads(self.request.body()))
            case ["PATCH", artifact_id]:
                self._set_status(artifact_id, json.loads(self.request.body())["status"])
            case ["GET", artifact_id, "download-url"]:
                self._download(artifact_id)
            case ["GET", artifact_id, "delete-url"]:
                self.request.reply_json({"url": self.fake.signed(artifact_id)})
            case ["DELETE", artifact_id]:
                del self.fake.artifacts[artifact_id]
                self.request.reply(204)

    def _create(self, body: dict[str, Any]) -> None:
        fake = self.fake
        artifact_id = f"art-{len(fake.artifacts) + 1}"
        artifact = {**body, "id": artifact_id, "status": "pending_upload", "created_at": "2026"}
        with fake.lock:
            fake.calls["create"] += 1
            fake.artifacts[artifact_id] = artifact
        if fake.faults.create == "drop":
            raise _Dropped
        if fake.faults.create == "500":
            self.request.reply(500, b"Internal Server Error")
            return
        details = {
            "type": fake.faults.kind,
            "url": fake.signed(artifact_id),
            "multipart": body["size"] > MAX_SINGLE_BYTES,
            "bucket_location": artifact_id,
            "bucket_secret_id": "bucket-1",
        }
        self.request.reply_json({"artifact": artifact, "upload_details": details}, 201)

    def _multipart(self, body: dict[str, Any]) -> None:
        fake = self.fake
        fake.calls["parts"] += 1
        if fake.faults.forbids_parts:
            self.request.reply_json({"detail": "Not enough rights"}, 403)
            return
        where, size = body["bucket_location"], body["size"]
        if (fake.faults.kind == "s3") != (body.get("upload_id") == f"upload & {where}"):
            fake.complaints.append(f"upload_id {body.get('upload_id')!r}")
        parts = []
        for number, start in enumerate(range(0, size, PART_BYTES), start=1):
            end = min(start + PART_BYTES, size)
            parts.append(
                {"part_number": number, "url": fake.signed(f"{where}?part={number}"),
                 "start_byte": start, "end_byte": end - 1, "part_size": end - start}
            )  # fmt: skip
        url = fake.signed(f"{where}?complete=1")
        self.request.reply_json({"parts": parts, "complete_url": url})

    def _set_status(self, artifact_id: str, status: str) -> None:
        fault = self.request.fault(self.fake.faults.confirms) if status == "uploaded" else "ok"
        if fault == "drop":
            raise _Dropped
        artifact = self.fake.artifacts[artifact_id]
        if artifact["status"] != "pending_upload":
            self.request.reply_json({"detail": "Artifact is not pending"}, 400)
            return
        artifact["status"] = status
        if fault == "lost":
            raise _Dropped
        self.request.reply_json(artifact)

    def _download(self, artifact_id: str) -> None:
        faults = self.fake.faults
        is_pending = self.fake.artifacts[artifact_id]["status"] == "pending_upload"
        if faults.forbids_download or (faults.download_only_when_uploaded and is_pending):
            self.request.reply_json({"detail": "no"}, 403 if faults.forbids_download else 400)
            return
        self.request.reply_json({"url": self.fake.signed(artifact_id)})


class _Storage:
    """What signed URLs lead to."""

    def __init__(self, request: _Handler) -> None:
        self.request = request
        self.fake = request.registry
        self.key = request.path_parts[1]

    def answer(self) -> None:
        request = self.request
        if request.headers.get("Authorization") or SIGNATURE not in request.path:
            self.fake.complaints.append("a signed URL with a key, or without its signature")
        match request.command:
            case "PUT" if "complete" in request.query:
                self._complete_blocks()
            case "PUT":
                self._put()
            case "POST" if "complete" in request.query:
                self._complete()
            case "POST":
                self._begin()
            case "GET":
                self._get()
            case "DELETE":
                self.fake.stored.pop(self.key, None)
                request.reply(204)

    def _put(self) -> None:
        request, fake = self.request, self.fake
        fake.calls["put"] += 1
        fault = request.fault(fake.faults.puts)
        if fault in ("drop", "stall"):
            request.rfile.read(min(1_000, int(request.headers["Content-Length"])))
            if fault == "stall":
                fake.stalled.set()
                fake.released.wait()
            raise _Dropped
        data = request.body()
        if fault == "late":
            fake.released.wait()
            fault = "400"
        if fault.isdigit():
            code = b"<Error><Code>Refused</Code></Error>"
            request.reply(int(fault), code)
            return
        if fault == "short":
            data = data[:-1]
        if "part" in request.query:
            with fake.lock:
                fake.parts.setdefault(self.key, {})[int(request.query["part"])] = data
        else:
            if fake.faults.kind == "azure" and request.headers.get("x-ms-blob-type") != "BlockBlob":
                fake.complaints.append("no x-ms-blob-type")
            fake.stored[self.key] = data
        request.reply(200, ETag=f'"{hashlib.md5(data).hexdigest()}"')

    def _begin(self) -> None:
        self.request.body()
        fault = self.request.fault(self.fake.faults.begins)
        if fault.isdigit():
            self.request.reply(int(fault))
            return
        if self.fake.faults.kind == "azure":
            self.fake.complaints.append("Azure has no initiate")
        xml = f"<R><UploadId>upload &amp; {self.key}</UploadId></R>"
        self.request.reply(200, xml.encode())

    def _complete(self) -> None:
        body = self.request.body().decode()
        fault = self.request.fault(self.fake.faults.completes)
        if fault == "error":
            self.request.reply(200, b"<Error><Code>InternalError</Code></Error>")
            return
        parts = self.fake.parts.pop(self.key, None)
        if parts is None:
            self.request.reply(404, b"<Error><Code>NoSuchUpload</Code></Error>")
            return
        for number, data in parts.items():
            etag = f"&quot;{hashlib.md5(data).hexdigest()}&quot;"
            if f"<PartNumber>{number}</PartNumber><ETag>{etag}</ETag>" not in body:
                self.fake.complaints.append(f"part {number} is not named")
        self.fake.stored[self.key] = b"".join(parts[number] for number in sorted(parts))
        if fault == "lost":
            raise _Dropped
        self.request.reply(200, b"<CompleteMultipartUploadResult/>")

    def _complete_blocks(self) -> None:
        body = self.request.body().decode()
        parts = self.fake.parts.pop(self.key)
        if body.count("<Latest>") != len(parts):
            self.fake.complaints.append("blocks are missing")
        self.fake.stored[self.key] = b"".join(parts[number] for number in sorted(parts))
        self.request.reply(201)

    def _get(self) -> None:
        fault = self.request.fault(self.fake.faults.looks)
        if fault.isdigit():
            self.request.reply(int(fault))
            return
        data = self.fake.stored.get(self.key)
        if data is None:
            self.request.reply(404)
            return
        total = f"bytes 0-0/{len(data)}"
        self.request.reply(206, data[:1], Content_Range=total)
