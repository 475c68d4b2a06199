"""Reads the answers of the registry into values.

What has another form than the protocol gives it raises RegistryBroken: an answer that is not
understood must not look like an empty one.
"""

from __future__ import annotations

from flowtui.registry.errors import RegistryBroken
from flowtui.registry.values import (
    Collection,
    Orbit,
    RemoteCopy,
    Secret,
    UploadPart,
    number,
    text,
    texts,
)
from flowtui.store.values import JsonValue

Document = dict[str, JsonValue]


def document(value: JsonValue) -> Document:
    """Return an object in an answer; anything else is an empty one."""
    return value if isinstance(value, dict) else {}


def documents(value: JsonValue) -> list[Document]:
    """Return a list of objects in an answer.

    Raises:
        RegistryBroken: It is not such a list.
    """
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise RegistryBroken("the registry answers something else than a list; is it up to date?")
    return [item for item in value if isinstance(item, dict)]


def page(value: JsonValue) -> tuple[list[Document], str | None]:
    """Return the rows of a page, and where the next one begins; None after the last.

    Raises:
        RegistryBroken: It is not a page.
    """
    answer = document(value)
    return documents(answer.get("items")), text(answer, "cursor") or None


def orbit(row: Document) -> Orbit:
    permissions = document(row.get("permissions")).get("artifact")
    return Orbit(
        id=text(row, "id"),
        name=text(row, "name"),
        role=text(row, "role"),
        artifact_permissions=frozenset(texts(permissions)),
        total_collections=number(row, "total_collections"),
    )


def collection(row: Document) -> Collection:
    return Collection(
        id=text(row, "id"),
        name=text(row, "name"),
        type=text(row, "type"),
        description=text(row, "description"),
        tags=texts(row.get("tags")),
        total_artifacts=number(row, "total_artifacts"),
    )


def copy(row: Document) -> RemoteCopy:
    return RemoteCopy(
        text(row, "id"), text(row, "name"), text(row, "status"), text(row, "created_at")
    )


def part(row: Document) -> UploadPart:
    start, end = number(row, "start_byte"), number(row, "end_byte")
    part_number = number(row, "part_number")
    if start is None or end is None or part_number is None:
        raise RegistryBroken("the registry names a part of the file without saying where it goes")
    return UploadPart(part_number, start, end - start + 1, Secret(text(row, "url")))
