"""ONNX models as documents, read in a child process without their weights."""

from __future__ import annotations

from flowtui.previews import isolated
from flowtui.previews.document_reply import blocks_of
from flowtui.previews.values import DocumentPage, Opened, Part, Request


def shown(opened: Opened, request: Request) -> DocumentPage:
    """Return what is known of the model, as one page.

    Raises:
        PreviewFailed, PreviewCancelled.
    """
    blocks = blocks_of(isolated.ask("onnx", opened.path, {}, opened.cancelled).data)
    return DocumentPage(blocks, Part.numbered("block", 0, len(blocks), len(blocks)))
