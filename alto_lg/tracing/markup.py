"""Markup: HTML and SVG as trees, written out by the standard library, which escapes every text.

Always true: a page asks for nothing outside itself (its own policy forbids it) and runs no script.
"""

from __future__ import annotations

from importlib.resources import files
from xml.etree.ElementTree import Element, tostring

_NUMERIC = "0123456789-–["
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def element(tag: str, *children: Element | str, **attributes: object) -> Element:
    """An element; `class_` is `class`, other underscores are hyphens, an attribute that is None is left out."""
    named = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items() if value is not None}
    made = Element(
        tag, {name: f"{value:.6g}" if isinstance(value, float) else str(value) for name, value in named.items()}
    )
    last: Element | None = None
    for child in children:
        if isinstance(child, Element):
            made.append(child)
            last = child
        elif last is None:
            made.text = (made.text or "") + child
        else:
            last.tail = (last.tail or "") + child
    return made


def table(head: list[str], rows: list[list[Element | str]], *, caption: str) -> Element:
    """A table whose first column names the row, in a frame that scrolls by itself where the page is narrow."""
    texts = ["text" if any(_is_text(row[place]) for row in rows) else None for place in range(len(head))]
    titles = [element("th", title, scope="col", class_=kind) for title, kind in zip(head, texts, strict=True)]
    body = [
        element(
            "tr",
            element("th", row[0], scope="row"),
            *(element("td", cell, class_=kind) for cell, kind in zip(row[1:], texts[1:], strict=True)),
        )
        for row in rows
    ]
    inside = element("table", element("thead", element("tr", *titles)), element("tbody", *body))
    # Outside of the table, where it is folded to the width of the page and not to that of the table.
    named = element("p", caption, class_="caption")
    frame = element("div", inside, class_="scroll", tabindex="0", role="region", aria_label=caption)
    return element("div", named, frame)


def _is_text(cell: Element | str) -> bool:
    """Whether a cell stands at the left of its column, as numbers do not."""
    return isinstance(cell, str) and cell[:1] not in ("", *_NUMERIC)


def details(summary: str, *children: Element | str) -> Element:
    """What is shown on demand."""
    return element("details", element("summary", summary), *children)


def page(title: str, *body: Element) -> str:
    """A whole document."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("title", title),
        element("style", files("alto_lg.tracing").joinpath("page.css").read_text(encoding="utf-8")),
    )
    main = element("main", element("h1", title), *body)
    written = tostring(element("html", head, element("body", main), lang="en"), encoding="unicode", method="html")
    return f"<!doctype html>\n{written}\n"
