"""HTML that cannot be broken out of: text is escaped unless it was made here."""

import html
import re
from collections.abc import Iterable
from typing import Final

_CODE: Final = re.compile(r"`([^`]*)`")
# HTML has no way to write these; a browser must not be left to guess.
_UNSHOWABLE: Final = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def join(*parts: str) -> Markup:
    """Return the parts one after the other, escaped where they are no markup."""
    return Markup("".join(p if isinstance(p, Markup) else _escape(p) for p in parts))


def element(name: str, *content: str, **attributes: str) -> Markup:
    """Return an element that holds the content."""
    written = "".join(f' {key}="{_escape(value)}"' for key, value in attributes.items())
    return Markup(f"<{name}{written}>{join(*content)}</{name}>")


def prose(text: str) -> Markup:
    """Return text in which backticks mark code."""
    parts = _CODE.split(text)
    return join(*(element("code", p) if i % 2 else p for i, p in enumerate(parts)))


def table(headings: Iterable[str], rows: Iterable[Iterable[Markup]]) -> Markup:
    """Return a table; each cell knows its heading, which a narrow screen shows beside it."""
    titles = tuple(headings)
    head = element("tr", *(element("th", title, scope="col") for title in titles))
    lines = (
        element(
            "tr",
            *(
                element("td", cell, **{"data-title": title})
                for title, cell in zip(titles, row, strict=True)
            ),
        )
        for row in rows
    )
    return element("table", element("thead", head), element("tbody", *lines))


def _escape(text: str) -> str:
    return html.escape(_UNSHOWABLE.sub("\N{REPLACEMENT CHARACTER}", text))
