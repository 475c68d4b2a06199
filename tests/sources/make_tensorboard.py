"""Writes written/tensorboard/ with tensorboardX and tensorboard, and what EventAccumulator reads.

It needs tensorboard 2.21, tensorboardX 2.6.5 and setuptools below 81, in an environment of its own.
"""

import json
import math
import shutil
import time
from pathlib import Path

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.scalar import metadata as scalar_metadata
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from tensorboard.util import tensor_util
from tensorboardX import SummaryWriter

HERE = Path(__file__).parent / "written" / "tensorboard"
BEGAN = 1_750_000_000.0


def resnet() -> None:
    """One run of tensorboardX with everything that it can write."""
    folder = HERE / "resnet"
    writer = SummaryWriter(str(folder))
    for step in range(50):
        at = BEGAN + step
        writer.add_scalar("train/loss", 2 / (step + 1), step, walltime=at)
        writer.add_scalar("val/acc", step / 50, step, walltime=at)
        if step % 10 == 0:
            writer.add_scalar("odd", math.nan if step == 10 else math.inf, step, walltime=at)
    writer.add_text("notes", "**first** try", 0, walltime=BEGAN)
    writer.add_image("sample", np.full((3, 4, 4), 200, np.uint8), 7, walltime=BEGAN)
    writer.add_histogram("weights", np.arange(20.0), 3, walltime=BEGAN)
    writer.add_hparams({"lr": 0.01, "layers": 3, "optimizer": "adam", "amp": True}, {"best": 0.5})
    writer.close()


def tensors() -> None:
    """A run whose scalars are tensors, as TensorFlow 2 writes them."""
    writer = EventFileWriter(str(HERE / "keras" / "train"))
    metadata = scalar_metadata.create_summary_metadata(display_name="", description="")
    for step in range(30):
        value = Summary.Value(
            tag="epoch_loss",
            metadata=metadata if step == 0 else None,
            tensor=tensor_util.make_tensor_proto(np.float32(1 / (step + 1))),
        )
        writer.add_event(Event(wall_time=BEGAN + step, step=step, summary=Summary(value=[value])))
    writer.close()


def resumed() -> None:
    """A run that was resumed twice: once at an earlier step, once saying so."""
    folder = HERE / "resumed"
    for first, last, offset in ((0, 20, 0.0), (15, 30, 100.0), (25, 28, 200.0)):
        writer = EventFileWriter(str(folder))
        if first == 25:
            start = SessionLog(status=SessionLog.START)
            writer.add_event(Event(wall_time=BEGAN, step=first, session_log=start))
        for step in range(first, last):
            value = Summary.Value(tag="loss", simple_value=offset + step)
            summary = Summary(value=[value])
            writer.add_event(Event(wall_time=BEGAN + step, step=step, summary=summary))
        writer.close()
        # The names of event files have the second in them.
        time.sleep(1.1)


def read() -> dict[str, object]:
    """Return by folder what the real package reads."""
    found: dict[str, object] = {}
    for folder in sorted({path.parent for path in HERE.rglob("*tfevents*")}):
        events = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0})
        events.Reload()
        scalars = {
            tag: [[one.step, repr(one.value)] for one in events.Scalars(tag)]
            for tag in events.Tags()["scalars"]
        }
        tensors = {
            tag: [
                [one.step, repr(float(tensor_util.make_ndarray(one.tensor_proto)))]
                for one in events.Tensors(tag)
            ]
            for tag in events.Tags()["tensors"]
            if events.SummaryMetadata(tag).plugin_data.plugin_name == "scalars"
        }
        images = {tag: [one.step for one in events.Images(tag)] for tag in events.Tags()["images"]}
        found[str(folder.relative_to(HERE))] = {"scalars": scalars | tensors, "images": images}
    return found


if __name__ == "__main__":
    shutil.rmtree(HERE, ignore_errors=True)
    resnet()
    tensors()
    resumed()
    (HERE.parent / "tensorboard.json").write_text(json.dumps(read(), indent=1) + "\n")
