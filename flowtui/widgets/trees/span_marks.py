"""The glyph and the colour of each kind of span, in the tree and in the detail."""

from __future__ import annotations

from typing import Final

from flowtui.store.genai import SpanKind
from flowtui.widgets.cells import Piece

MARKS: Final = {
    SpanKind.AGENT: Piece("★", "accent"),
    SpanKind.WORKFLOW: Piece("▷", "accent"),
    SpanKind.CHAT: Piece("○", "curve-1"),
    SpanKind.PROMPT: Piece("¶", "curve-1"),
    SpanKind.TOOL: Piece("◆", "curve-2"),
    SpanKind.EMBEDDER: Piece("▦", "curve-3"),
    SpanKind.RETRIEVER: Piece("◎", "curve-3"),
    SpanKind.RERANKER: Piece("⇅", "curve-3"),
    SpanKind.EVALUATOR: Piece("▣", "curve-4"),
    SpanKind.GUARDRAIL: Piece("◈", "curve-4"),
    SpanKind.CHAIN: Piece("→", "muted"),
    SpanKind.OTHER: Piece("·", "muted"),
}
