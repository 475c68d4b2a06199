"""A stand-in for a training process: logs one point a transaction, as the SDK does.

`python -m tests.bench.writer EXP_DB SECONDS [ROWS_A_SECOND]` prints JSON: how many rows were
written, how many writes failed, and how long the slowest took.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import time


def write(path: str, seconds: float, pace: float | None) -> dict[str, float]:
    """Log points for a while, at full speed or at a pace in rows a second."""
    # The SDK's own settings: WAL, and sqlite3's default busy timeout.
    connection = sqlite3.connect(path)
    connection.execute("pragma journal_mode = wal")
    (step,) = connection.execute("select coalesce(max(step), 0) from dynamic_metrics").fetchone()
    written = failed = 0
    slowest = 0.0
    started = time.monotonic()
    while (now := time.monotonic() - started) < seconds:
        if pace is not None and written > now * pace:
            time.sleep(1 / pace)
            continue
        step += 1
        begun = time.monotonic()
        try:
            connection.execute(
                "insert or replace into dynamic_metrics (key, value, step) values (?, ?, ?)",
                ("train/loss", 1.0 / step, step),
            )
            connection.commit()
            written += 1
        except sqlite3.OperationalError:
            failed += 1
        slowest = max(slowest, time.monotonic() - begun)
    connection.close()
    return {"written": written, "failed": failed, "slowest_ms": slowest * 1e3}


if __name__ == "__main__":
    given_pace = float(sys.argv[3]) if len(sys.argv) > 3 else None
    print(json.dumps(write(sys.argv[1], float(sys.argv[2]), given_pace)))
