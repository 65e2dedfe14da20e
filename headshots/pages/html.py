"""Makes pieces of HTML that several parts of a page need. Every text and path is escaped here or by its caller."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from urllib.parse import quote

from headshots.pages.models import Measure, Picture


def link_to(picture: Picture) -> str:
    """The path of a picture's file as a relative link, for an attribute."""
    return escape(quote(f"./{picture.file}"))


def image(picture: Picture, *, lazy: bool = True) -> str:
    """The picture; its class has its width, which the style sheet enlarges by whole steps."""
    loading = ' loading="lazy"' if lazy else ""
    return (
        f'<img class="w{picture.width_px}" src="{link_to(picture)}" width="{picture.width_px}" '
        f'height="{picture.height_px}" alt="{escape(picture.alt)}"{loading}>'
    )


def section(title: str, body: str, note: str = "", *, name: str) -> str:
    """A part of the page under a heading; empty where there is nothing in it."""
    if not body:
        return ""
    said = f"<p>{escape(note)}</p>" if note else ""
    return f'<section class="{name}"><h2>{escape(title)}</h2>{said}{body}</section>\n'


def measures(found: Sequence[Measure], name: str) -> str:
    """Figures with their names; empty where there are none."""
    if not found:
        return ""
    items = "".join(
        f"<div><dt>{escape(each.name)}</dt><dd>{escape(each.value)}"
        + (f" <small>{escape(each.limit)}</small>" if each.limit else "")
        + "</dd></div>"
        for each in found
    )
    return f'<dl class="{name}">{items}</dl>'
