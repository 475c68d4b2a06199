"""Looking into pictures, and going through those of one step after another."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image
from textual.pilot import Pilot

from flowtui.previews.values import Picture
from flowtui.previews.zooming import WHOLE
from tests.pilot.attached import attached, files, preview, shown
from tests.pilot.pilot import opened, screen_text, settled, until

RED, GREEN = (255, 0, 0), (0, 255, 0)


def halves(left: tuple[int, int, int], right: tuple[int, int, int]) -> bytes:
    image = Image.new("RGB", (800, 400), left)
    image.paste(right, (400, 0, 800, 400))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def colours(pilot: Pilot[None]) -> set[tuple[int, ...]]:
    """Return the colours of the picture that is shown."""
    parts = preview(pilot)._parts
    shown = parts[0].preview.shown if parts else None
    data = shown.rgb if isinstance(shown, Picture) else b""
    return {tuple(data[at : at + 3]) for at in range(0, len(data), 3)}


async def test_a_picture_is_looked_into(tmp_path: Path) -> None:
    store = attached(tmp_path, {"a.png": halves(RED, GREEN)})
    async with opened(store, "run", tab="attachments") as pilot:
        await shown(pilot, "+ zoom")
        assert colours(pilot) >= {RED, GREEN}
        await pilot.press("shift+right", "minus")
        await settled(pilot)
        assert preview(pilot).request.view == WHOLE
        await pilot.press("plus", "plus")
        await shown(pilot, "4× larger")
        await pilot.press("shift+left", "shift+left", "shift+left", "shift+left")
        await until(lambda: colours(pilot) == {RED}, "the left half")
        # At the edge it goes no further, and one key leads back.
        await pilot.press("shift+right", "shift+right", "shift+right", "shift+right")
        await until(lambda: colours(pilot) == {GREEN}, "the right half")
        await pilot.press("minus")
        await shown(pilot, "2× larger")
        await pilot.press("0")
        await shown(pilot, "+ zoom")
        assert colours(pilot) >= {RED, GREEN}


async def test_a_series_is_gone_through_as_near_as_it_was(tmp_path: Path) -> None:
    store = attached(
        tmp_path,
        {
            "images/step_1000.png": halves(GREEN, GREEN),
            "images/step_200.png": halves(RED, GREEN),
            "images/other.png": halves(GREEN, RED),
        },
    )
    async with opened(store, "run", tab="attachments") as pilot:
        assert files(pilot).go_to("images/step_200.png")
        await shown(pilot, "file 1 of 2")
        await pilot.press("comma")
        await settled(pilot)
        await pilot.press("plus")
        await shown(pilot, "2× larger")
        await pilot.press("full_stop")
        await shown(pilot, "file 2 of 2")
        assert files(pilot).attachment is not None
        assert files(pilot).attachment.path == "images/step_1000.png"
        assert "2× larger" in screen_text(pilot)
        await until(lambda: colours(pilot) == {GREEN}, "the next picture")
        assert files(pilot).go_to("images/other.png")
        await until(lambda: RED in colours(pilot), "another picture")
        await settled(pilot)
        assert "file 2" not in screen_text(pilot)
        assert "+ zoom" in screen_text(pilot)
