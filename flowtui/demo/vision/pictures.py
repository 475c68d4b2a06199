"""Pictures of the training run, encoded by hand: png, gif, svg."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterable, Sequence
from itertools import pairwise

from flowtui.demo.scene import chance
from flowtui.demo.vision import story

_Colour = tuple[int, int, int]

# Dark violet over teal to yellow, even in lightness, so that a grey terminal shows it too.
_HEAT: Sequence[_Colour] = (
    (26, 10, 46),
    (72, 35, 116),
    (52, 96, 141),
    (32, 145, 140),
    (94, 201, 97),
    (253, 231, 36),
)
_GAP: _Colour = (18, 18, 24)


def confusion_png() -> bytes:
    """Draws the confusion matrix as a heat map, one cell of 26 pixels for each pair of classes."""
    cell = 26
    rows: list[bytes] = []
    for truth in story.CLASSES:
        line = b"".join(
            bytes(_heat(math.sqrt(_share(truth, guess)))) * (cell - 2) + bytes(_GAP) * 2
            for guess in story.CLASSES
        )
        rows += [line] * (cell - 2) + [bytes(_GAP) * (len(line) // 3)] * 2
    return _png(rows)


def sample_grid_png() -> bytes:
    """Draws twenty-four plates of food, as a batch of the loader would look from afar."""
    columns, lines, size = 6, 4, 32
    rng = chance("vision/plates")
    plates: list[tuple[_Colour, float]] = [
        ((rng.randrange(150, 250), rng.randrange(70, 190), rng.randrange(30, 120)), rng.random())
        for _ in range(columns * lines)
    ]
    rows = []
    for y in range(lines * size):
        row = bytearray()
        for x in range(columns * size):
            food, phase = plates[y // size * columns + x // size]
            row += bytes(_plate(food, phase, x % size - size / 2, y % size - size / 2))
        rows.append(bytes(row))
    return _png(rows)


def descent_gif() -> bytes:
    """Animates a ball that rolls into a valley: twelve frames of 64 by 40 pixels, 128 greys."""
    width, height, frames = 64, 40, 12
    palette = b"".join(bytes(_heat(level / 127)) for level in range(128))
    parts = [
        b"GIF89a" + struct.pack("<HHBBB", width, height, 0xF6, 0, 0) + palette,
        b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00",
    ]
    for frame in range(frames):
        ball_x = 6 + 26 * (1 - math.exp(-frame / 4))
        pixels = bytes(
            _valley(x, y, ball_x, width, height) for y in range(height) for x in range(width)
        )
        parts += [
            b"\x21\xf9\x04\x04" + struct.pack("<H", 9) + b"\x00\x00",
            b"\x2c" + struct.pack("<HHHHB", 0, 0, width, height, 0),
            _gif_data(pixels),
        ]
    return b"".join(parts) + b"\x3b"


def schedule_svg() -> bytes:
    """Draws the learning-rate schedule as a chart with axes and a filled curve."""
    points = [
        f"{50 + step * 0.11:.1f},{230 - 190 * story.learning_rate(step) / story.PEAK_RATE:.1f}"
        for step in range(0, story.STEPS + 1, 50)
    ]
    curve = " ".join(points)
    ticks = "".join(
        f'<text x="{50 + step * 0.11:.0f}" y="250" text-anchor="middle">{step}</text>'
        for step in range(0, story.STEPS + 1, 1000)
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" width="640" height="280" viewBox="0 0 640 280">
  <rect width="640" height="280" fill="#12121a"/>
  <g fill="#c8c8d4" font-family="sans-serif" font-size="12">
    <text x="50" y="24" font-size="15">learning rate, peak {story.PEAK_RATE}</text>
    {ticks}
  </g>
  <path d="M50 40V230H610" fill="none" stroke="#5a5a6e"/>
  <polygon points="50,230 {curve} 600,230" fill="#209187" fill-opacity="0.25"/>
  <polyline points="{curve}" fill="none" stroke="#5ec961" stroke-width="2"/>
</svg>
""".encode()


def _share(truth: str, guess: str) -> float:
    lost = sum(share for pair, share in story.CONFUSED.items() if pair[0] == truth)
    if truth == guess:
        return 0.93 - lost
    return story.CONFUSED.get((truth, guess), 0.0) + 0.004 * (len(truth + guess) % 4)


def _heat(share: float) -> _Colour:
    place = min(0.999, max(0.0, share)) * (len(_HEAT) - 1)
    low, high = list(pairwise(_HEAT))[int(place)]
    red, green, blue = (round(a + (b - a) * (place % 1)) for a, b in zip(low, high, strict=True))
    return red, green, blue


def _plate(food: _Colour, phase: float, x: float, y: float) -> _Colour:
    radius = math.hypot(x, y)
    if radius > 15:
        return 58, 40, 30
    if radius > 10.5:
        shade = round(236 - 3 * abs(radius - 12.5))
        return shade, shade, shade - 8
    light = 0.8 + 0.2 * math.sin(x * (0.5 + phase) + 3 * math.sin(y * 0.6 + 6 * phase))
    return round(food[0] * light), round(food[1] * light), round(food[2] * light)


def _valley(x: int, y: int, ball_x: float, width: int, height: int) -> int:
    def ground(at: float) -> float:
        return height - 5 - ((at - width / 2) / (width / 2)) ** 2 * (height - 14)

    if math.hypot(x - ball_x, y - ground(ball_x) + 4) <= 4:
        return 127
    depth = y - ground(x)
    return 12 if depth < 0 else min(96, 40 + round(depth * 2.2))


def _png(rows: Iterable[bytes]) -> bytes:
    lines = list(rows)
    header = struct.pack(">IIBBBBB", len(lines[0]) // 3, len(lines), 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\x00" + line for line in lines), 6)
    chunks = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def _gif_data(pixels: bytes) -> bytes:
    # A clear code before every 120 pixels keeps all codes at eight bits, so that they are bytes.
    clear, end = b"\x80", b"\x81"
    codes = b"".join(clear + pixels[at : at + 120] for at in range(0, len(pixels), 120)) + end
    blocks = (codes[at : at + 255] for at in range(0, len(codes), 255))
    return b"\x07" + b"".join(bytes([len(block)]) + block for block in blocks) + b"\x00"
