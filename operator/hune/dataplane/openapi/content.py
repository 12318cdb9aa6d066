"""Pieces that every part of a document is put together from."""

from collections.abc import Mapping
from typing import Any

from hune.dataplane.openapi.failure import COMMON, failures
from hune.dataplane.openapi.feature import Schema

Part = dict[str, Any]


def reference(name: str) -> Schema:
    """Return a reference to a schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def json_content(schema: Schema, example: Any = None) -> Part:
    """Return content in JSON."""
    media: Part = {"schema": schema}
    return {"application/json": media if example is None else {**media, "example": example}}


def reading(identity: str, tag: str, summary: str, content: Part | None, *statuses: int) -> Part:
    """Return a path that is read with GET.

    Args:
        identity: The operation's id.
        tag: Where it is listed.
        summary: What it answers.
        content: The answer's content; None where it is the status that answers.
        statuses: What else may be answered, beside what may be anywhere.
    """
    answer: Part = {"description": summary}
    if content is not None:
        answer["content"] = content
    operation = {
        "operationId": identity,
        "tags": [tag],
        "summary": summary,
        "responses": {"200": answer, **failures(*COMMON, *statuses)},
    }
    return {"get": operation}


def version_suffix(path: str) -> str:
    """Return what tells the operations apart that name the version in their path."""
    return "WithVersion" if "/versions/" in path else ""


def numbered(prefix: str, schemas: list[Schema]) -> tuple[dict[str, Schema], list[Schema]]:
    """Return schemas under names of their own, and references to them.

    Their real names, which may hold anything, stand in `title`.
    """
    named = {f"{prefix}{number}": schema for number, schema in enumerate(schemas, 1)}
    return named, [reference(name) for name in named]


def resolve(document: Mapping[str, Any], part: Part) -> Part:
    """Return what a part of a document refers to, or the part itself."""
    if "$ref" not in part:
        return part
    found: Any = document
    for key in str(part["$ref"]).split("/")[1:]:
        found = found[key]
    return dict(found)
