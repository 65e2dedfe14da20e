"""A page is one document that asks for nothing, runs nothing and holds every text as text."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import fields, is_dataclass, replace
from typing import Any

from headshots.pages.models import Absent, BeforeAfter, Measure, Member, Page, Picture, TeamRow
from headshots.pages.page import html_page
from tests.support.images.pages import Document, page, shown

HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(1)>&'"


def whole() -> Page:
    """With every part that a page may have."""
    pictures = [Picture(f"portraits/{name}.png", 64, 64, name) for name in ("before", "after", "bo", "cy", "di")]
    before, after, *members = pictures
    team = TeamRow([Member(each.alt, each, "repainted") for each in members], [Measure("Eye line", "0.6 %", "1 %")])
    return page(remix=BeforeAfter(before, after, "backdrop", "a city street"), team=team, elsewhere="3 more elsewhere.")


def spoilt(value: Any) -> Any:
    """The same with hostile characters in every text."""
    if type(value) is str and value:
        return f"{value}{HOSTILE}"
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{each.name: spoilt(getattr(value, each.name)) for each in fields(value)})
    if isinstance(value, list | tuple):
        return type(value)(spoilt(each) for each in value)
    return value


def test_a_page_fetches_its_pictures_alone_and_runs_nothing() -> None:
    html = html_page(whole())
    document = Document(html)
    assert len(document.all("img")) == 2 + 2 * 13 + 2 + 3
    links = [link for link in document.links if not link.startswith("./portraits/")]
    assert links == []
    assert document.all("script") == []
    assert not re.search(r"url\(|@import|@font-face|https?:", html)
    assert not any(name.startswith("on") or name == "style" for _, found in document.elements for name in found)


def test_the_policy_lets_this_style_sheet_in_and_no_other_and_no_script() -> None:
    document = Document(html_page(whole()))
    [policy] = [str(each["content"]) for each in document.all("meta") if "http-equiv" in each]
    digest = base64.b64encode(hashlib.sha256(document.sheet.encode()).digest()).decode()
    assert policy.split("; ") == [
        "default-src 'none'",
        "img-src 'self'",
        f"style-src 'sha256-{digest}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]


def test_every_text_is_escaped_wherever_it_stands() -> None:
    clean, document = Document(html_page(whole())), Document(html_page(spoilt(whole())))
    assert [tag for tag, _ in document.elements] == [tag for tag, _ in clean.elements]
    assert [sorted(found) for _, found in document.elements] == [sorted(found) for _, found in clean.elements]
    assert f"Ada{HOSTILE}" in document.text
    assert f"Navy suit{HOSTILE}" in document.text


def test_parts_come_in_their_order_and_empty_ones_not_at_all() -> None:
    text = Document(html_page(whole())).text
    parts = ("The selfies", "The best 10", "Also accepted", "One portrait is refused", "3 more elsewhere.", "Remixed")
    places = [text.index(part) for part in (*parts, "A team in one look", "The training", "Where the time went")]
    assert places == sorted(places)
    bare = page([1], selfies=(), learning=None, timings=(), figures=(), timing_note="")
    text = Document(html_page(bare)).text
    for part in (*parts[:1], *parts[2:], "A team in one look", "The training", "Where the time went", "Not judged"):
        assert part not in text


def test_a_remix_is_shown_before_and_after_with_what_was_asked() -> None:
    document = Document(html_page(whole()))
    files = [str(each["src"]) for each in document.all("img")]
    assert files.index("./portraits/before.png") + 1 == files.index("./portraits/after.png")
    assert "The backdrop was changed to “a city street”" in document.text


def test_a_team_is_shown_in_one_row_with_its_figures() -> None:
    document = Document(html_page(whole()))
    assert [str(each["src"]) for each in document.all("img")][-3:] == [
        f"./portraits/{name}.png" for name in ("bo", "cy", "di")
    ]
    assert "Eye line0.6 % 1 %" in document.text
    assert Document(html_page(page(team=TeamRow([])))).text.count("A team") == 0


def test_what_could_not_be_made_is_told_with_its_reason() -> None:
    text = Document(html_page(page(remix=Absent("All were refused."), team=Absent("There is one person.")))).text
    assert text.index("Not remixed") < text.index("All were refused.") < text.index("No team")
    assert "There is one person." in text
    assert "before" not in text[text.index("Not remixed") : text.index("No team")]


def test_figures_of_the_machine_stand_at_the_foot() -> None:
    text = Document(html_page(page())).text
    assert text.index("Where the time went") < text.index("Peak memory")
    assert "training1 min" in text
    assert "painting and judging30.0 s" in text
    assert "90 seconds in all." in text


def test_files_with_any_name_are_linked_to() -> None:
    odd = replace(shown(1), picture=Picture("portraits/a b#1?.png", 128, 128, "x"))
    document = Document(html_page(page([], portraits=[odd])))
    assert document.all("a")[0]["href"] == "./portraits/a%20b%231%3F.png"
    assert document.all("a")[0]["download"] == "a b#1?.png"
