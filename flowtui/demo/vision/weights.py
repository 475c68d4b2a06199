"""Weights of the training run: of a small head, which stands for all of the network."""

from __future__ import annotations

from datetime import datetime

from flowtui.demo.scene import chance
from flowtui.demo.vision import story
from flowtui.demo.written import arrays, checkpoint, onnx_model
from flowtui.demo.written.arrays import Tensor

_CHANNELS = 32
_MODEL = f"{story.RUN}-head"


def _tensors(name: str) -> dict[str, Tensor]:
    rng = chance(f"vision/weights/{name}")
    classes = len(story.CLASSES)
    shapes = {
        "stem.weight": (16, 3, 3, 3),
        "stem.bias": (16,),
        "head.weight": (classes, _CHANNELS),
        "head.bias": (classes,),
    }
    return {key: arrays.drawn(rng, shape, 0.12) for key, shape in shapes.items()}


def safetensors() -> bytes:
    """Return the weights of the best validation step."""
    about = {"format": "pt", "step": "4799", "val/accuracy": "0.877"}
    return arrays.safetensors(_tensors("best"), about)


def torch_checkpoint(at: datetime) -> bytes:
    """Return the weights after the last step, with where training was."""
    values: dict[str, int | float | str] = {
        "epoch": story.STEPS // story.STEPS_AN_EPOCH,
        "step": story.STEPS,
        "lr": story.FLOOR_RATE,
        "arch": "resnet50",
    }
    return checkpoint.checkpoint(_tensors("last"), values, at)


def onnx() -> bytes:
    """Return the best weights as a model that other programs run."""
    rng = chance("vision/weights/onnx")
    classes = len(story.CLASSES)
    weights = {
        "head.weight": arrays.drawn(rng, (_CHANNELS, classes), 0.12),
        "head.bias": arrays.drawn(rng, (classes,), 0.02),
    }
    layers = (
        onnx_model.Layer("GlobalAveragePool"),
        onnx_model.Layer("Flatten"),
        onnx_model.Layer("Gemm", tuple(weights)),
        onnx_model.Layer("Softmax"),
    )
    ends = (("batch", _CHANNELS, 7, 7), ("batch", classes))
    about = {"run": story.RUN, "classes": ", ".join(story.CLASSES)}
    return onnx_model.model(_MODEL, layers, weights, ends, about)


def embeddings(at: datetime) -> bytes:
    """Return where images of each class lie, before and after training."""
    rng = chance("vision/embeddings")
    shape = (len(story.CLASSES) * 4, 16)
    spreads = {"start": 0.2, "end": 1.4}
    return arrays.npz(
        {name: arrays.drawn(rng, shape, spread) for name, spread in spreads.items()}, at
    )
