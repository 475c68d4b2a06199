"""The messages of a span: pictures on a key, what is folded, and answers out of other spans."""

from __future__ import annotations

import base64
import json
import tempfile
from pathlib import Path

from flowtui.screens.attachments.file_screen import FileScreen
from flowtui.screens.dialogs.save_files import SaveScreen
from flowtui.widgets.documents.document import Document
from flowtui.widgets.documents.picture import PicturePane
from tests.pilot.pilot import opened, screen_text, settled, until
from tests.pilot.test_trace_view import here, open_trace, span, written

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAABgAAAAQCAIAAACDRijCAAAALklEQVR4nGPk4OBgoAZg4efnp45BgoKC1DFIQEBg"
    "1KBRg0YNor1BjN+/f6eKQQAjJQXYb9dM+AAAAABJRU5ErkJggg=="
)
"""A picture of 24 by 16."""
TOOLS = [
    {"type": "function", "function": {"name": f"tool_{n}", "description": f"does thing {n}"}}
    for n in range(3)
]
ASKED = {
    "role": "user",
    "parts": [
        {"type": "text", "content": "What is this?"},
        {
            "type": "blob",
            "mime_type": "image/png",
            "content": base64.b64encode(PNG).decode(),
        },
    ],
}
THOUGHT = "\n".join(f"thought {n}" for n in range(9))
CALLED = {
    "role": "assistant",
    "parts": [
        {"type": "reasoning", "content": THOUGHT},
        {"type": "tool_call", "id": "call_1", "name": "tool_1", "arguments": {"n": 1}},
    ],
}
SEEING = [
    span(1, None, 0, 9_000, name="chat", attributes={
        "gen_ai.operation.name": "chat",
        "gen_ai.tool.definitions": json.dumps(TOOLS),
        "gen_ai.input.messages": json.dumps([ASKED]),
        "gen_ai.output.messages": json.dumps([CALLED]),
    }),
    span(2, 1, 100, 2_000, name="the tool", attributes={
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.call.id": "call_1",
        "gen_ai.tool.call.result": '"it is red"',
    }),
]  # fmt: skip


async def test_a_picture_in_a_message_is_shown_on_a_key(tmp_path: Path) -> None:
    async with opened(written(tmp_path, SEEING), "run", (160, 60), "traces") as pilot:
        await open_trace(pilot)
        await pilot.press("tab")
        document = pilot.app.screen.query_one("#span-detail", Document)
        assert document.find("image/png 24x16, ") == 1
        document.find_next()
        await pilot.press("enter")
        await until(lambda: isinstance(pilot.app.screen, FileScreen), "the picture's screen")
        pane = pilot.app.screen.query_one(PicturePane)
        await until(lambda: pane.line_count > 0, "the picture")
        assert pane.has_focus
        folder = Path(tempfile.gettempdir())
        assert any(path.read_bytes() == PNG for path in folder.glob("flow-tui-*/medium"))
        await pilot.press("w")
        await until(lambda: isinstance(pilot.app.screen, SaveScreen), "where to save it")
        await pilot.press("escape")
        await until(lambda: isinstance(pilot.app.screen, FileScreen), "the picture again")
        await pilot.press("escape")
        await settled(pilot)
        assert document.has_focus


async def test_what_is_folded_in_a_chat_is_found_and_opened(tmp_path: Path) -> None:
    async with opened(written(tmp_path, SEEING), "run", (160, 60), "traces") as pilot:
        await open_trace(pilot)
        shown = screen_text(pilot)
        assert "▸ 3 tools   tool_0, tool_1, tool_2" in shown
        assert "thought 8" not in shown
        await pilot.press("tab")
        document = pilot.app.screen.query_one("#span-detail", Document)
        for hidden in ("does thing 2", "thought 8"):
            document.focus()
            await pilot.press("slash", *(key.replace(" ", "space") for key in hidden), "enter")
            await settled(pilot)
            lines = [document.line(index, 80) for index in range(document.line_count)]
            assert any(hidden in "".join(piece.text for piece in line) for line in lines)


async def test_a_call_stands_with_the_answer_of_another_span(tmp_path: Path) -> None:
    async with opened(written(tmp_path, SEEING), "run", (160, 60), "traces") as pilot:
        await open_trace(pilot)
        shown = screen_text(pilot)
        assert "answer  it is red" in shown
        assert "in the tool   Enter goes there" in shown
        await pilot.press("tab")
        document = pilot.app.screen.query_one("#span-detail", Document)
        document.find("Enter goes there")
        document.find_next()
        await pilot.press("enter")
        await settled(pilot)
        assert here(pilot) == "the tool"
