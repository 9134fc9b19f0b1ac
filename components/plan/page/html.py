"""The few shapes of HTML that the page is made of. Everything that comes in as text is escaped here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

Cell = str | int | float | None


VOID = ("meta", "link")
"""Elements that have no end."""


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def text(value: Cell) -> Markup:
    """A value as it is shown: whole numbers with thousands, no value as a hyphen."""
    if isinstance(value, Markup):
        return value
    if value is None:
        return Markup("-")
    if isinstance(value, int):
        return Markup(f"{value:,}")
    if isinstance(value, float):
        return Markup(f"{value:,.1f}".removesuffix(".0"))
    return Markup(escape(value))


def element(tag: str, *inner: Cell, **attributes: str | int | bool | None) -> Markup:
    """`element("p", "a < b", class_="x")`. True is an attribute without value; None and False are none."""
    written = "".join(
        f" {name.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{escape(str(value))}"')
        for name, value in attributes.items()
        if value is not None and value is not False
    )
    if tag in VOID:
        return Markup(f"<{tag}{written}>")
    return Markup(f"<{tag}{written}>{''.join(text(each) for each in inner)}</{tag}>")


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[Cell]], *, class_: str | None = None) -> Markup:
    """A table with a caption; the first cell of a row is its heading, numbers stand on the right."""
    lines = [list(row) for row in rows]
    numeric = {place for row in lines for place, cell in enumerate(row) if isinstance(cell, (int, float))}
    names = (element("th", n, scope="col", class_="n" if i in numeric else None) for i, n in enumerate(head))
    header = element("tr", *names)
    body = (
        element(
            "tr",
            element("th", row[0], scope="row"),
            *(
                element("td", cell, class_="n" if place in numeric else None)
                for place, cell in enumerate(row[1:], start=1)
            ),
        )
        for row in lines
    )
    whole = element(
        "table", element("caption", caption), element("thead", header), element("tbody", *body), class_=class_
    )
    # A wide table scrolls by itself, and by keyboard too.
    return element("div", whole, class_="scroll", tabindex="0", role="region", aria_label=caption)


def folded(title: str, *inner: Cell) -> Markup:
    """A part that opens on demand."""
    return element("details", element("summary", title), *inner)


def section(id_: str, title: str, *inner: Cell, intro: str = "") -> Markup:
    """A part of the page with its heading."""
    heading = element("h2", title, id=f"{id_}-title")
    said = element("p", intro, class_="intro") if intro else Markup("")
    return element("section", heading, said, *inner, id=id_, aria_labelledby=f"{id_}-title")
