"""The page is well formed, shows every feature, and cannot be broken out of."""

import base64
import hashlib
import re
import shlex
import subprocess
from html.parser import HTMLParser

import pytest

from hune.dataplane.openapi.document import build_document
from hune.dataplane.openapi.markup import element, join, prose
from hune.dataplane.openapi.page import POLICY, render_page
from hune.dataplane.openapi.subject import Subject
from hune.dataplane.openapi.tensor import read_metadata
from tests.support.contracts import (
    HOSTILE_NAME,
    HOSTILE_UNIT,
    METADATA,
    MIXED,
    contract_of,
)

VOID = {"meta"}
KNOWN = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "section"),
    *("h1", "h2", "p", "code", "pre", "table", "thead", "tbody", "tr", "th", "td"),
}


class Reader(HTMLParser):
    """Collects the text of cells and code, and refuses what is not well formed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.cells: list[str] = []
        self.commands: list[str] = []
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in KNOWN
        self.attributes |= {name for name, _ in attrs}
        if tag not in VOID:
            self.open.append(tag)
        if tag == "td":
            self.cells.append("")
        if tag == "pre":
            self.commands.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "td" in self.open:
            self.cells[-1] += data
        if "pre" in self.open:
            self.commands[-1] += data


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


def page_of(protocol: str = "V2") -> str:
    contract = contract_of(MIXED)
    return render_page(
        build_document(Subject("income", "default", "income-7", protocol, contract, outliers=True))
    )


@pytest.mark.parametrize("protocol", ["V1", "V2"])
def test_every_feature_is_there_with_what_is_known_of_it(protocol: str) -> None:
    cells = read(page_of(protocol)).cells
    for feature in contract_of(MIXED).features:
        at = cells.index(feature.name)
        _, kind, unit, bounds, categories, _ = cells[at : at + 6]
        assert kind.endswith("or null") is feature.nullable
        assert unit == feature.unit
        assert categories == "".join(feature.categories)
        assert all(bound in bounds for bound in (feature.minimum, feature.maximum))


def test_hostile_names_and_units_stay_text() -> None:
    page = page_of()
    reader = read(page)
    assert HOSTILE_NAME in reader.cells
    assert HOSTILE_UNIT in reader.cells
    assert reader.attributes <= {"lang", "charset", "name", "content", "id", "scope", "data-title"}
    assert "<script" not in page
    assert "<img" not in page


@pytest.mark.parametrize("protocol", ["V1", "V2"])
def test_the_command_survives_a_shell(protocol: str) -> None:
    command = read(page_of(protocol)).commands[0]
    words = shlex.split(command)
    assert words[0] == "curl"
    assert words[1].startswith("http://income.default.svc/v")
    body = words[words.index("-d") + 1]
    echoed = subprocess.run(
        ["/bin/sh", "-c", command.replace("curl", "printf '%s\\n'", 1)],
        env={"PATH": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    assert echoed.endswith(f"-d\n{body}\n")


def test_tensors_of_the_predictor_are_shown() -> None:
    subject = Subject("m", "n", "m-1", "V2", None, read_metadata(METADATA))
    cells = read(render_page(build_document(subject))).cells
    assert cells[cells.index("x") + 1] == "FP32, shape [-1, 3]"
    assert cells[cells.index("y") + 1] == "INT64, shape [-1]"


def test_every_error_and_every_path_is_listed() -> None:
    cells = read(page_of()).cells
    document = build_document(Subject("income", "default", "income-7", "V2"))
    statuses = document["paths"]["/v2/models/income/infer"]["post"]["responses"].keys() - {"200"}
    assert statuses <= set(cells)
    assert {"POST /v2/models/income/infer", "GET /metrics", "GET /docs"} <= set(cells)


def test_the_policy_admits_the_style_and_nothing_else() -> None:
    [style] = re.findall(r"<style>(.*?)</style>", page_of(), re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in POLICY
    assert POLICY.startswith("default-src 'none'")
    assert "url(" not in style
    assert "@import" not in style


def test_markup_escapes_what_is_not_its_own() -> None:
    assert element("p", "<b>", join("a&", element("b", "\x00")), id='"') == (
        '<p id="&quot;">&lt;b&gt;a&amp;<b>\ufffd</b></p>'
    )
    assert prose("run `a<b` now") == "run <code>a&lt;b</code> now"
