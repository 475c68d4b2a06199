"""README's moving picture, made of pictures that the snapshot tests hold to be true.

`python -m tests.moving` writes it anew; tests/unit/house/test_readme.py checks that it is written.
"""

from __future__ import annotations

import re
from pathlib import Path

TOP = Path(__file__).parents[1]
MOVING = TOP / "docs" / "moving.svg"
SCENES = (
    "test_screens/test_runs[120x40].svg",
    "test_screens/test_overview[120x40].svg",
    "test_screens/test_metrics[120x40].svg",
    "test_screens/test_metrics_zoomed[120x40].svg",
    "test_screens/test_evals[120x40].svg",
    "test_screens/test_sample[120x40].svg",
    "test_screens/test_trace_chat[120x40].svg",
    "test_compare_evals/test_compare_evals[120x40].svg",
)
SCENE_S = 3
"""How long each is shown."""


def moving() -> str:
    """Return an SVG that shows one scene after the other, for ever."""
    scenes = [_scene(number, name) for number, name in enumerate(SCENES)]
    (size,) = {re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', scene)[0] for scene in scenes}
    whole_s, share = SCENE_S * len(SCENES), 100 / len(SCENES)
    style = (
        f".scene {{ visibility: hidden; animation: scene {whole_s}s step-end infinite }}\n"
        f"@keyframes scene {{ 0% {{ visibility: visible }} {share:g}% {{ visibility: hidden }} }}\n"
        # Who has asked their system for less motion gets the first scene.
        "@media (prefers-reduced-motion: reduce) { .scene { animation: none }\n"
        "#scene-0 { visibility: visible } }"
    )
    body = "\n".join(
        f'<g class="scene" id="scene-{number}" style="animation-delay: {number * SCENE_S}s">\n'
        f"{scene}\n</g>"
        for number, scene in enumerate(scenes)
    )
    view = " ".join(size)
    return (
        f'<svg viewBox="0 0 {view}" xmlns="http://www.w3.org/2000/svg">\n'
        f"<style>\n{style}\n</style>\n{body}\n</svg>\n"
    )


def _scene(number: int, name: str) -> str:
    """Return a picture whose ids and classes are its own, since all pictures use the same."""
    text = (TOP / "snapshots" / name).read_text("utf-8").strip()
    return re.sub(r"\bterminal-(?!title|matrix)", f"scene-{number}-", text)


if __name__ == "__main__":
    MOVING.write_text(moving(), "utf-8")
