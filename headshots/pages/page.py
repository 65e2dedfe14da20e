"""Writes a page as one HTML document: no script, nothing from the network, pictures as files beside it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from html import escape

from headshots.pages import comparing, sections
from headshots.pages.css import style_sheet
from headshots.pages.html import measures
from headshots.pages.models import BeforeAfter, Page, Picture, TeamRow
from headshots.pages.portraits import portraits

MADE_BY = '<meta name="generator" content="headshots">'
"""Marks a page of ours, which a later one may replace."""


def html_page(page: Page) -> str:
    """The document. All texts are escaped; whatever ended up in them, a browser runs and fetches nothing."""
    sheet = style_sheet(picture.width_px for picture in _pictures(page))
    title = escape(page.title)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
{MADE_BY}
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_policy(sheet)}">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{sheet}</style>
</head>
<body>
<header>
<h1>{title}</h1>
<p>{escape(page.lead)}</p>
{measures(page.facts, "facts")}
</header>
<main>
{sections.selfies(page.selfies, page.selfies_note)}{portraits(page.portraits, page.elsewhere)}\
{comparing.remix(page.remix)}{comparing.team(page.team)}{sections.learning(page.learning)}\
{sections.timings(page.timings, page.timing_note, page.figures)}</main>
<footer>{escape(page.footer)}</footer>
</body>
</html>
"""


def _policy(sheet: str) -> str:
    """Lets the browser show pictures from where the page is, and this style sheet."""
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    return f"default-src 'none'; img-src 'self'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _pictures(page: Page) -> Iterator[Picture]:
    """All on it that are enlarged by whole steps; selfies are photos."""
    yield from (each.picture for each in page.portraits)
    if isinstance(page.remix, BeforeAfter):
        yield from (page.remix.before, page.remix.after)
    if isinstance(page.team, TeamRow):
        yield from (member.picture for member in page.team.members)
