"""How long a run in the registry takes to open over the internet, beside its database alone."""

from __future__ import annotations

import http.client
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from flowtui.registry.client import Registry
from flowtui.registry.upload import UploadJob, pack_run
from flowtui.registry.values import Labels, Secret
from flowtui.store.schema import EvalRow, StoreWriter
from flowtui.store.store import Store
from flowtui.store.values import StoreLocation
from tests.bench.link import InternetLink, linked
from tests.bench.measure import Measure
from tests.terminal.terminal import FLOW_TUI, Terminal, environment
from tests.unit.fake_registry import KEY, OWNED, FakeRegistry, served

SAMPLES = 100_000
FILE_BYTES = 600_000_000
ROUND_TRIP_S = 0.02
BYTES_PER_S = 50_000_000 / 8
NAME = "large"


def opening_over_a_link(samples: int = SAMPLES, file_bytes: int = FILE_BYTES) -> Iterator[Measure]:
    """Open an artifact over 20 ms and 50 Mbit/s; its exp.db.zip alone is the baseline."""
    with tempfile.TemporaryDirectory() as folder, served() as fake:
        place = Path(folder)
        artifact_id = upload(fake, place / "store", samples, file_bytes)
        port = urlsplit(fake.url).port
        assert port is not None
        with linked(port, InternetLink(ROUND_TRIP_S, BYTES_PER_S)) as far:
            fake.url = f"http://127.0.0.1:{far}"
            whole, alone = [], []
            for turn in range(3):
                alone.append(seconds_alone(fake, artifact_id))
                whole.append(seconds_until_open(fake, place / str(turn)))
        assert fake.complaints == []
    yield Measure(
        f"open {file_bytes // 1_000_000} MB in the registry",
        statistics.median(whole),
        statistics.median(alone),
        1.5,
        "s",
    )


def upload(fake: FakeRegistry, directory: Path, samples: int, file_bytes: int) -> str:
    """Make a run and put it into the registry in one piece; return the id of the artifact."""
    with StoreWriter(directory, durable=False) as writer:
        writer.start_run("run", NAME)
        with writer.experiment("run") as experiment:
            experiment.evals(
                EvalRow(
                    dataset_id="questions",
                    id=str(index),
                    # As hard to compress as text that people write.
                    inputs={"question": os.urandom(60).hex()},
                    outputs={"answer": os.urandom(30).hex()},
                    scores={"relevance": index % 97 / 97},
                )
                for index in range(samples)
            )
            experiment.attachment("weights.bin", b"")
        writer.end_run("run", status="completed", duration=60.0)
    # A file without blocks is written in no time.
    os.truncate(directory / "run" / "attachments" / "weights.bin", file_bytes)
    fake.max_single_bytes = 1 << 40
    with (
        closing(Store(StoreLocation(directory, "bench"))) as store,
        Registry(Secret(KEY), fake.url) as registry,
        UploadJob(registry, OWNED, Labels(NAME), pack_run(store, "run"), "run") as job,
    ):
        return job.run().artifact_id


def seconds_alone(fake: FakeRegistry, artifact_id: str) -> float:
    """Return how long one request for the database takes."""
    offset, size = fake.artifacts[artifact_id]["file_index"]["exp.db.zip"]
    url = urlsplit(fake.signed("GET", artifact_id))
    began = time.monotonic()
    with closing(http.client.HTTPConnection(url.netloc)) as connection:
        wanted = f"bytes={offset}-{offset + size - 1}"
        headers = {"Range": wanted, "Accept-Encoding": "identity"}
        connection.request("GET", f"{url.path}?{url.query}", headers=headers)
        assert len(connection.getresponse().read()) == size
    return time.monotonic() - began


def seconds_until_open(fake: FakeRegistry, home: Path) -> float:
    """Return how long the app takes from its start until Overview stands, with an empty cache."""
    home.mkdir()
    told = {"LUML_BASE_URL": fake.url, "LUML_API_KEY": KEY, "FLOW_TUI_CACHE": str(home / "cache")}
    command = (*FLOW_TUI, f"luml:Vision/Baselines/{NAME}")
    with Terminal(command, {**environment(home), **told}) as terminal:
        return terminal.wait_for("1 Overview", timeout=60) - terminal.started_at
