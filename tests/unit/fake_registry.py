"""A registry and its storage on the loopback, as the protocol has them, with everything that fails.

It serves one organization, its orbits and collections, and takes artifacts in one piece or in
parts. What it must not do, such as taking a signed URL with the registry's key, it answers with an
error and remembers in `complaints`.
"""

from __future__ import annotations

import base64
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NoReturn
from urllib.parse import parse_qs, urlsplit

from flowtui.registry.values import Collection, Destination, Orbit, Organization
from tests.unit.fake_storage import SIGNATURE as SIGNATURE
from tests.unit.fake_storage import StorageAnswers, presigned, shared_access

KEY = "dfs_" + "k" * 43
PART_BYTES = 100_000
RIGHTS = ("list", "read", "create", "update", "delete")
DESTINATION = Destination(
    Organization("org-1", "Lab", "owner"),
    Orbit("orb-1", "Vision", "admin", frozenset({"list", "read", "create", "update"})),
    Collection("col-1", "Baselines", "experiment", ""),
)
"""Whose owner may not delete, so that a test sees what was marked as failed."""
OWNED = replace(
    DESTINATION, orbit=replace(DESTINATION.orbit, artifact_permissions=frozenset(RIGHTS))
)
MODEL_FILES = {"dtypes.json", "env.json", "manifest.json", "meta.json", "ops.json",
               "variant_config.json"}  # fmt: skip


@dataclass
class Faults:
    """What goes wrong, and how often; counts are used up."""

    create: str = ""
    """`500` or `drop`: what becomes of making an entry, which is made all the same."""
    puts: list[str] = field(default_factory=list)
    """What becomes of the next PUTs: `500`, `400`, `403`, `drop`, `stall`, `short`, or `ok`;
    `late` is a 400 that waits until the test lets it go; with `forgotten` the upload is gone."""
    begins: list[str] = field(default_factory=list)
    completes: list[str] = field(default_factory=list)
    """`error` is an <Error> in a good answer, `lost` is done with no answer, with `forgotten` the
    upload is gone."""
    confirms: list[str] = field(default_factory=list)
    """`drop` is not done, `lost` is done with no answer, `failed` finds it marked as failed."""
    looks: list[str] = field(default_factory=list)
    """What becomes of the next GETs at the storage: a status, `drop`, `whole` without a range, or
    `no total`."""
    deletes: list[str] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)
    """What becomes of the next lists of artifacts: a status, or `ok`."""
    ignores_ranges: bool = False
    breaks_after: int | None = None
    """After how many requests the link breaks for good; None: never."""
    rights: tuple[str, ...] = RIGHTS
    """What the key's owner may do with artifacts of the first orbit."""
    role: str = "owner"
    """Theirs in the organization."""
    quota: int = 50
    forbids_parts: bool = False
    forbids_download: bool = False
    download_only_when_uploaded: bool = False
    orbit_count: int = 2
    kind: str = "s3"


@dataclass
class FakeRegistry:
    url: str = ""
    max_single_bytes: int = 250_000
    """A larger artifact goes in parts."""
    faults: Faults = field(default_factory=Faults)
    artifacts: dict[str, dict[str, Any]] = field(default_factory=dict)
    stored: dict[str, bytes] = field(default_factory=dict)
    parts: dict[str, dict[int, bytes]] = field(default_factory=dict)
    upload_ids: dict[str, str] = field(default_factory=dict)
    """Of the uploads in parts that the storage knows."""
    ranges: list[tuple[int, int]] = field(default_factory=list)
    """What was read at the storage."""
    collections: list[dict[str, Any]] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    released: threading.Event = field(default_factory=threading.Event)
    stalled: threading.Event = field(default_factory=threading.Event)

    def statuses(self) -> list[str]:
        return [artifact["status"] for artifact in self.artifacts.values()]

    def signed(self, method: str, artifact_id: str, query: dict[str, str] | None = None) -> str:
        """Return a URL for an artifact's file, whose name holds what has to be escaped."""
        path = f"/storage/bucket/{artifact_id}-run%20%2B~x%C3%A9.luml"
        with self.lock:
            self.calls["urls"] += 1
        if self.faults.kind == "azure":
            permission = {"GET": "r", "DELETE": "d"}.get(method, "cw")
            more = "".join(f"&{key}={value}" for key, value in (query or {}).items())
            return f"{self.url}{path}?{shared_access(permission, path)}{more}"
        asked = {**(query or {}), "n": str(self.calls["urls"])}
        return f"{self.url}{path}?{presigned(method, urlsplit(self.url).netloc, path, asked)}"


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
        self.queries = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        self.query = {key: of[0] for key, of in self.queries.items()}
        fake = self.registry
        fake.calls["requests"] += 1
        breaks_after = fake.faults.breaks_after
        if breaks_after is not None and fake.calls["requests"] > breaks_after:
            self.close_connection = True
            return
        self.is_body_read = False
        try:
            if self.path_parts[0] == "storage":
                StorageAnswers(self).answer()
            else:
                _Rest(self).answer()
        except (_Dropped, ConnectionError):
            self.close_connection = True
            return
        if not self.is_body_read:
            self.close_connection = True

    def drop(self) -> NoReturn:
        raise _Dropped

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
                request.reply_json([{"id": "org-1", "name": "Lab", "role": fake.faults.role}])
            case ["GET", "organizations", "org-1", "orbits"]:
                request.reply_json(self._orbits())
            case ["GET", "organizations", "org-1", "orbits", "orb-1", "collections"]:
                self._collections()
            case ["GET", "organizations", "org-1", "orbits", "orb-1", "artifacts"]:
                self._list()
            case ["GET", "organizations", "org-1", "orbits", "orb-2", "artifacts" | "collections"]:
                self._page([])
            case ["POST", "bucket-secrets", "upload", "multipart"]:
                self._multipart(json.loads(request.body()))
            case [_, "organizations", "org-1", "orbits", "orb-1", "collections", collection_id,
                  "artifacts", *rest]:  # fmt: skip
                self._artifact(collection_id, rest)
            case _:
                request.reply_json({"detail": "Not Found"}, 404)

    def _orbits(self) -> list[dict[str, Any]]:
        faults = self.fake.faults
        orbits = [
            {"id": "orb-1", "name": "Vision", "role": "admin",
             "permissions": {"artifact": list(faults.rights)}},
            {"id": "orb-2", "name": "Shared", "role": "member",
             "permissions": {"artifact": ["list"]}},
        ]  # fmt: skip
        return orbits[: faults.orbit_count]

    def _collections(self) -> None:
        needle = self.request.query.get("search", "").lower()
        self._page([one for one in self.fake.collections if needle in str(one["name"]).lower()])

    def _list(self) -> None:
        query, faults = self.request.query, self.fake.faults
        fault = self.request.fault(faults.lists)
        if fault.isdigit():
            self.request.reply_json({"detail": "no"}, int(fault))
            return
        if not self._may("list"):
            return
        known = {one["id"] for one in self.fake.collections}
        wanted = set(self.request.queries.get("collection_ids", known))
        if wanted - known:
            self.request.reply_json({"detail": "You don't have access"}, 404)
            return
        types = self.request.queries.get("types")
        needle = query.get("search", "").lower()
        rows = [
            row for row in self.fake.artifacts.values()
            if row.get("collection_id", "col-1") in wanted
            and (types is None or row.get("type", "experiment") in types)
            and needle in row.get("name", "").lower()
        ]  # fmt: skip
        names = {one["id"]: one["name"] for one in self.fake.collections}
        rows = [
            {**row, "collection_name": names[row.get("collection_id", "col-1")]} for row in rows
        ]
        rows.sort(key=lambda row: str(row.get(query.get("sort_by", "created_at"))),
                  reverse=query.get("order", "desc") == "desc")  # fmt: skip
        self._page(rows)

    def _page(self, rows: list[dict[str, Any]]) -> None:
        query = self.request.query
        limit = int(query.get("limit", 50))
        if not 0 < limit <= 100:
            self.request.reply_json({"detail": [{"loc": ["query", "limit"], "msg": "<= 100"}]}, 422)
            return
        start = int(query.get("cursor", 0))
        cursor = str(start + limit) if start + limit < len(rows) else None
        self.request.reply_json({"items": rows[start : start + limit], "cursor": cursor})

    def _may(self, right: str) -> bool:
        if right in self.fake.faults.rights:
            return True
        self.request.reply_json({"detail": "Not enough rights"}, 403)
        return False

    def _artifact(self, collection_id: str, rest: list[str]) -> None:
        match [self.request.command, *rest]:
            case ["GET"]:
                self.request.reply_json({"detail": "Method Not Allowed"}, 405)
            case ["POST"]:
                self._create(collection_id, json.loads(self.request.body()))
            case [_, artifact_id, *_] if artifact_id not in self.fake.artifacts:
                self.request.reply_json({"detail": "Artifact not found"}, 404)
            case ["PATCH", artifact_id]:
                self._set_status(artifact_id, json.loads(self.request.body())["status"])
            case ["GET", artifact_id]:
                if self._may("read"):
                    row = self.fake.artifacts[artifact_id]
                    (place,) = [
                        one for one in self.fake.collections if one["id"] == row["collection_id"]
                    ]
                    self.request.reply_json({**row, "collection": place})
            case ["GET", artifact_id, "download-url"]:
                self._download(artifact_id)
            case ["GET", artifact_id, "delete-url"]:
                if self._may("delete"):
                    self.fake.artifacts[artifact_id]["status"] = "pending_deletion"
                    self.request.reply_json({"url": self.fake.signed("DELETE", artifact_id)})
            case ["DELETE", artifact_id]:
                self._delete(artifact_id)

    def _delete(self, artifact_id: str) -> None:
        if not self._may("delete"):
            return
        if self.fake.artifacts[artifact_id]["status"] != "pending_deletion":
            self.request.reply_json({"detail": "Unable to confirm deletion"}, 400)
            return
        del self.fake.artifacts[artifact_id]
        self.request.reply(204)

    def _create(self, collection_id: str, body: dict[str, Any]) -> None:
        fake = self.fake
        if not self._may("create"):
            return
        if len(fake.artifacts) >= fake.faults.quota:
            detail = "Organization reached maximum number of artifacts"
            self.request.reply_json({"detail": detail}, 409)
            return
        is_model = set(body["file_index"]) >= MODEL_FILES
        artifact_id = f"art-{fake.calls['create'] + 1}"
        artifact = {
            **body, "id": artifact_id, "status": "pending_upload", "created_by_user": "Ann",
            "created_at": f"2026-11-29T10:00:{fake.calls['create']:02d}Z",
            "type": body["manifest"].get("artifact_type", "model" if is_model else "experiment"),
            "collection_id": collection_id,
        }  # fmt: skip
        with fake.lock:
            fake.calls["create"] += 1
            fake.artifacts[artifact_id] = artifact
        if fake.faults.create == "drop":
            raise _Dropped
        if fake.faults.create == "500":
            self.request.reply(500, b"Internal Server Error")
            return
        is_multipart = body["size"] > fake.max_single_bytes
        # Azure opens no upload in parts.
        begin = (
            fake.signed("POST", artifact_id, {"uploads": ""}) if fake.faults.kind == "s3" else None
        )
        details = {
            "type": fake.faults.kind,
            "url": begin if is_multipart else fake.signed("PUT", artifact_id),
            "multipart": is_multipart,
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
        where, size, upload_id = body["bucket_location"], body["size"], body.get("upload_id")
        is_azure = fake.faults.kind == "azure"
        if is_azure != (upload_id is None):
            fake.complaints.append(f"upload_id {upload_id!r}")
        parts = []
        for number, start in enumerate(range(0, size, PART_BYTES), start=1):
            end = min(start + PART_BYTES, size)
            block_id = base64.b64encode(f"block-{number:08d}".encode()).decode()
            query = {"comp": "block", "blockid": block_id} if is_azure else {
                "partNumber": str(number), "uploadId": upload_id}  # fmt: skip
            parts.append(
                {"part_number": number, "url": fake.signed("PUT", where, query),
                 "start_byte": start, "end_byte": end - 1, "part_size": end - start}
            )  # fmt: skip
        url = (
            fake.signed("PUT", where, {"comp": "blocklist"})
            if is_azure
            else fake.signed("POST", where, {"uploadId": upload_id})
        )
        self.request.reply_json({"parts": parts, "complete_url": url})

    def _set_status(self, artifact_id: str, status: str) -> None:
        if not self._may("update"):
            return
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
        if fault == "failed":
            artifact["status"] = "upload_failed"
            self.request.reply_json({"detail": "Invalid status transition"}, 400)
            return
        self.request.reply_json(artifact)

    def _download(self, artifact_id: str) -> None:
        faults = self.fake.faults
        is_pending = self.fake.artifacts[artifact_id]["status"] == "pending_upload"
        if not self._may("read"):
            return
        if faults.forbids_download or (faults.download_only_when_uploaded and is_pending):
            self.request.reply_json({"detail": "no"}, 403 if faults.forbids_download else 400)
            return
        self.request.reply_json({"url": self.fake.signed("GET", artifact_id)})
