"""The document as a page for people: one file, nothing loaded from anywhere, no script."""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Final

from hune.dataplane.openapi.command import build_command, show_json
from hune.dataplane.openapi.content import Part, resolve
from hune.dataplane.openapi.markup import Markup, element, join, prose, table
from hune.dataplane.openapi.style import STYLE

_DIGEST: Final = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
_OK: Final = "200"


def render_page(document: Mapping[str, Any]) -> str:
    """Return the page of a document of ours."""
    path, predict = next(
        (p, part["post"]) for p, part in document["paths"].items() if "post" in part
    )
    information = document["info"]
    body = join(
        element(
            "header",
            element("h1", information["title"]),
            element("p", prose(information["description"])),
            element("p", "Model version ", element("code", information["version"])),
        ),
        element(
            "main",
            _inputs(document, predict),
            _request(document, path, predict),
            _answer(document, predict),
            _errors(document, predict),
            _endpoints(document),
        ),
    )
    title = f"{information['title']}: predictions"
    return _frame(title, body)


def _frame(title: str, body: Markup) -> str:
    head = join(
        Markup('<meta charset="utf-8">'),
        Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        element("title", title),
        element("style", Markup(STYLE)),
    )
    page = element("html", element("head", head), element("body", body), lang="en")
    return f"<!doctype html>\n{page}\n"


def _section(identity: str, title: str, *content: Markup) -> Markup:
    return element("section", element("h2", title), *content, id=identity)


def _inputs(document: Mapping[str, Any], predict: Part) -> Markup:
    listed = [resolve(document, part) for part in predict["x-hune-inputs"]]
    if not listed:
        unknown = "Neither a data contract nor the predictor says what the inputs are."
        return _section("inputs", "Inputs", element("p", unknown))
    if "properties" in listed[0]:
        return _section("inputs", "Inputs", _tensors(listed))
    headings = ("Name", "Type", "Unit", "Range", "Categories", "Example")
    return _section("inputs", "Inputs", table(headings, map(_feature, listed)))


def _feature(schema: Part) -> Iterable[Markup]:
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    categories = [value for value in schema.get("enum", ()) if value is not None]
    return (
        element("code", schema["title"]),
        join(", or ".join(kinds)),
        join(schema.get("x-unit", "")),
        join(_range(schema)),
        join(*(element("code", value) for value in categories)),
        element("code", show_json(schema["examples"][0])),
    )


def _range(schema: Part) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f"{low} to {high}"
    if low is not None:
        return f"≥ {low}"
    return "" if high is None else f"≤ {high}"


def _tensors(listed: Iterable[Part]) -> Markup:
    rows = ((element("code", schema["title"]), join(schema["description"])) for schema in listed)
    return table(("Name", "Tensor"), rows)


def _request(document: Mapping[str, Any], path: str, predict: Part) -> Markup:
    content = [element("pre", element("code", build_command(document, path, predict)))]
    if "security" in predict:
        scheme = document["components"]["securitySchemes"]["bearer"]
        content.append(element("p", prose(scheme["description"])))
    return _section("request", "Ask for a prediction", *content)


def _answer(document: Mapping[str, Any], predict: Part) -> Markup:
    answer = predict["responses"][_OK]
    example = answer["content"]["application/json"]["example"]
    note = resolve(document, {"$ref": "#/components/schemas/Note"})
    outputs = [resolve(document, part) for part in predict["x-hune-outputs"]]
    said = (
        (element("code", key), join(part["description"]))
        for key, part in note["properties"].items()
    )
    headers = (
        (element("code", name), join(part["description"]))
        for name, part in answer["headers"].items()
    )
    return _section(
        "answer",
        "The answer",
        element("p", prose(answer["description"])),
        *([_tensors(outputs)] if outputs else []),
        element("pre", element("code", show_json(example, spread=True))),
        table(("Hune says", "Meaning"), said),
        table(("Header", "Meaning"), headers),
    )


def _errors(document: Mapping[str, Any], predict: Part) -> Markup:
    rows = []
    for status, part in predict["responses"].items():
        if status != _OK:
            response = resolve(document, part)
            example = response["content"]["application/json"]["example"]
            said = element("code", show_json(example))
            rows.append((element("code", status), join(response["description"]), said))
    return _section("errors", "Errors", table(("Status", "When", "For example"), rows))


def _endpoints(document: Mapping[str, Any]) -> Markup:
    rows = (
        (element("code", f"{method.upper()} {path}"), join(operation["summary"]))
        for path, part in document["paths"].items()
        for method, operation in part.items()
        if method in {"get", "post"}
    )
    return _section("paths", "All paths", table(("Path", "What"), rows))
