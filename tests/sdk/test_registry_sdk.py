"""The storage client against the S3 endpoint that luml-sdk brings, which checks signatures."""

from __future__ import annotations

import hashlib
import hmac
import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from flowtui.registry.errors import UrlExpired
from flowtui.registry.http import RequestPatience
from flowtui.registry.progress import Meter, Phase
from flowtui.registry.sending import Sending
from flowtui.registry.storage import Storage
from flowtui.registry.values import Secret, UploadPart, UploadParts, UploadTarget
from flowtui.store import params as logged_params
from flowtui.store.archive.importing import into_store
from flowtui.store.archive.packing import write_artifact
from tests.conftest import open_store

StoreOf = Callable[[str], Path]
SIZE, PART = 5_000_000, 1_100_000
QUICK = RequestPatience(first_pause_s=0.001, longest_pause_s=0.002)

SERVE = r"""
import sys, threading
from luml.s3_proxy.s3proxy import S3ProxyHandler, S3ProxyServer

server = S3ProxyServer(("127.0.0.1", 0), S3ProxyHandler, sys.argv[1], {"access": "secret"},
                       False, False)
print(server.server_port, flush=True)
threading.Thread(target=lambda: (sys.stdin.read(), server.shutdown()), daemon=True).start()
server.serve_forever()
server.server_close()
"""


READ = r"""
import json, sys
from luml.experiments.tracker import ExperimentTracker

tracker = ExperimentTracker("sqlite://" + sys.argv[1])
data = tracker.get_experiment(sys.argv[2])
(row,) = tracker.list_experiments()
print(json.dumps({"ids": [row.id], "name": row.name, "status": str(row.status),
                  "params": len(data.static_params), "metrics": len(data.dynamic_metrics)}))
"""


@pytest.fixture
def endpoint(sdk_python: StoreOf, tmp_path: Path) -> Iterator[str]:
    command = [sdk_python("0.4.0"), "-c", SERVE, tmp_path / "bucket-store"]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
        server.stdin.close()


def presigned(
    method: str, url: str, query: Mapping[str, str] | None = None, key: str = "secret"
) -> Secret:
    """Signs a URL as S3 has it (Signature Version 4, in the query)."""
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{now[:8]}/us-east-1/s3/aws4_request"
    asked = {
        **(query or {}),
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"access/{scope}",
        "X-Amz-Date": now,
        "X-Amz-Expires": "600",
        "X-Amz-SignedHeaders": "host",
    }
    canonical = "&".join(
        f"{quote(name, safe='~')}={quote(asked[name], safe='~')}" for name in sorted(asked)
    )
    host = urlsplit(url)
    request = f"{method}\n{host.path}\n{canonical}\nhost:{host.netloc}\n\nhost\nUNSIGNED-PAYLOAD"
    digest = hashlib.sha256(request.encode()).hexdigest()
    signing = f"AWS4{key}".encode()
    for word in (now[:8], "us-east-1", "s3", "aws4_request"):
        signing = hmac.digest(signing, word.encode(), "sha256")
    text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{digest}"
    signature = hmac.new(signing, text.encode(), "sha256").hexdigest()
    return Secret(f"{url}?{canonical}&X-Amz-Signature={signature}")


class Cutter:
    """Cuts a file into parts as the registry does; the URLs of its first answer are no good."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answers = 0

    def parts(self, target: UploadTarget, size_bytes: int, upload_id: str | None) -> UploadParts:
        self.answers += 1
        key = "old" if self.answers == 1 else "secret"
        assert upload_id is not None
        of = {"uploadId": upload_id}
        parts = tuple(
            UploadPart(
                number,
                start,
                min(PART, size_bytes - start),
                presigned("PUT", self.url, {**of, "partNumber": str(number)}, key),
            )
            for number, start in enumerate(range(0, size_bytes, PART), start=1)
        )
        return UploadParts(parts, presigned("POST", self.url, of))


def test_one_piece_and_parts_arrive_and_are_measured(endpoint: str, tmp_path: Path) -> None:
    data = bytes(range(250)) * (SIZE // 250)
    file = tmp_path / "artifact.luml"
    file.write_bytes(data)
    meter = Meter()
    with Storage(QUICK) as storage:
        for is_multipart in (False, True):
            url = f"{endpoint}/bucket/artifact-{is_multipart}"
            first = (
                presigned("POST", url, {"uploads": ""}) if is_multipart else presigned("PUT", url)
            )
            target = UploadTarget("s3", first, is_multipart, "", "")
            meter.enter(Phase.SENDING, SIZE)
            sending = Sending(target, file, SIZE)
            cutter = Cutter(url)
            sending.carry_out(cutter, storage, meter, lambda: False)  # type: ignore[arg-type]
            assert meter.read().done_bytes == SIZE
            assert cutter.answers == 2 * is_multipart
            assert storage.size_bytes(presigned("GET", url)) == SIZE
            stored = tmp_path / "bucket-store" / "bucket" / f"artifact-{is_multipart}"
            assert stored.read_bytes() == data
            storage.delete(presigned("DELETE", url))
            assert storage.size_bytes(presigned("GET", url)) == 0
            storage.delete(presigned("DELETE", url))


def test_a_wrong_signature_is_a_url_that_is_not_good(endpoint: str, tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_bytes(b"x")
    target = UploadTarget("s3", presigned("PUT", f"{endpoint}/b/k", key="bad"), False, "", "")
    with Storage(QUICK) as storage, pytest.raises(UrlExpired, match="refuses the URL"):
        storage.put_file(target, file, 1, lambda count: None, lambda: False)


def test_a_file_is_read_by_range_and_another_state_of_it_is_noticed(
    endpoint: str, tmp_path: Path
) -> None:
    data = bytes(range(256)) * 10
    path = tmp_path / "file"
    path.write_bytes(data)
    url = f"{endpoint}/bucket/key"
    headers: dict[str, str] = {}
    got = bytearray()

    def take(answer: Mapping[str, str]) -> Callable[[bytes], None]:
        headers.update(answer)
        return got.extend

    with Storage(QUICK) as storage:
        target = UploadTarget("s3", presigned("PUT", url), False, "", "")
        storage.put_file(target, path, len(data), lambda _: None, lambda: False)
        storage.read_range(presigned("GET", url), 100, 50, "", take)
    assert bytes(got) == data[100:150]
    assert headers["content-range"] == f"bytes 100-149/{len(data)}"


def test_the_sdk_reads_a_run_that_was_pulled_into_a_store(
    sdk_python: StoreOf, demo_directory: Path, tmp_path: Path
) -> None:
    source = open_store(demo_directory)
    run = source.resolve("support-agent-v3")
    write_artifact(source, run.id, tmp_path / "x.luml")
    assert into_store(tmp_path / "x.luml", tmp_path / "store", None) == run.id
    done = subprocess.run(
        [sdk_python("0.4.0"), "-c", READ, tmp_path / "store", run.id],
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(done.stdout)
    assert (told["ids"], told["name"], told["status"]) == ([run.id], run.name, run.row.status)
    assert told["params"] == len(run.ask(logged_params.params) or ())
    assert told["metrics"] == len(run.metrics.last_points())
