"""Makes the demo store: one of everything that a store can hold, the same at every start.

data/         texts, dialects, descriptions of runs, files to attach
resources.py  reads them
scene.py      what the parts share
vision/       a long training run with attachments of every kind
agent/        an agent's traces, eval sets and annotations
written/      files of kinds that libraries usually write
versions/     one agent in two versions, asked the same questions
others.py     runs that are active, failed, empty, uploaded
sweep.py      the many small runs of a sweep, and baselines
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from pathlib import Path

from flowtui.demo import agent, others, sweep, versions, vision
from flowtui.demo.scene import Scene, chance, seeded_uuid
from flowtui.store.schema import StoreWriter


def make_demo(directory: Path, now: datetime) -> None:
    """Write the demo store into a folder that has none yet.

    The content follows from `now` alone.

    Args:
        directory: The store's folder; made if missing.
        now: Aware; the moment that all times are counted back from.

    Raises:
        DatabaseError: The folder cannot be written.
    """
    now = now.replace(microsecond=0)
    new_id = partial(seeded_uuid, chance("rows"))
    # A demo that a power cut spoils can be made again; waiting for the disk takes half as long
    # again.
    with StoreWriter(directory, clock=lambda: now, new_id=new_id, durable=False) as writer:
        scene = Scene(writer, directory, now)
        vision.add_run(scene)
        agent.add_run(scene)
        versions.add_runs(scene)
        others.add_runs(scene)
        sweep.add_runs(scene)
