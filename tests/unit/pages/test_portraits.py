"""The best stand first and large, with their verdicts on a scale; refused ones behind a fold; each can be enlarged."""

from __future__ import annotations

import re

import pytest

from headshots.pages.css import SMALL_PX, style_sheet
from headshots.pages.models import Likeness, Outcome, Picture, Why
from headshots.pages.page import html_page
from headshots.pages.words import RANKS
from tests.support.images.pages import Document, page, shown


def test_the_ten_best_are_large_the_other_accepted_ones_small_and_refused_ones_folded() -> None:
    html = html_page(page())
    best, more = (re.search(rf'<div class="cards {kind}">.*?</div>', html, re.S) for kind in ("best", "more"))
    folded = re.search(r'<details class="refused">.*?</details>', html, re.S)
    assert best is not None
    assert more is not None
    assert folded is not None
    assert re.findall(r'class="rank">(\d+)<', best[0]) == [str(rank) for rank in range(1, 11)]
    assert re.findall(r'class="rank">(\d+)<', more[0]) == ["11", "12"]
    assert "<details open" not in html
    assert "refused-09-suit.png" in folded[0]
    assert "refused-09-suit.png" not in best[0] + more[0]


def test_a_refused_portrait_says_why_in_words() -> None:
    text = Document(html_page(page([0]))).text
    assert "One portrait is refused" in text
    assert "Blurry. The face has 12% of the photos' sharpness; 20% are needed." in text
    assert "Seed 40, the best of 3 tries." in text
    assert "BLURRY" not in text


def test_every_portrait_has_its_file_to_download_and_a_larger_view_that_a_button_opens() -> None:
    document = Document(html_page(page()))
    downloads = {str(each["download"]) for each in document.all("a")}
    assert downloads == {*(f"{rank:02d}-suit.png" for rank in range(1, 13)), "refused-09-suit.png"}
    opened = {str(each["id"]) for each in document.all("div") if "popover" in each}
    assert len(opened) == 13
    buttons = [each for each in document.all("button") if each.get("popovertargetaction") != "hide"]
    assert {str(each["popovertarget"]) for each in buttons} == opened
    assert all("Enlarge: Portrait of Ada" in str(each["aria-label"]) for each in buttons)
    closing = [each for each in document.all("button") if each.get("popovertargetaction") == "hide"]
    assert {str(each["popovertarget"]) for each in closing} == opened
    assert all("autofocus" in each for each in closing), "the keyboard is in the larger view while it is open"


def test_every_picture_has_a_text_in_its_place_and_its_size() -> None:
    for each in Document(html_page(page())).all("img"):
        assert each["alt"]
        assert int(str(each["width"])) > 0
        assert int(str(each["height"])) > 0


def test_a_likeness_comes_with_its_scale() -> None:
    document = Document(html_page(page([1, 2])))
    assert "likeness 0.89 0.81 needed" in document.text
    assert "The photos themselves reach 0.95 or more; below 0.81 a portrait counts as somebody else." in document.text
    bars = [each for each in document.all("rect") if each.get("class") == "enough"]
    # 0.81 is the middle of the bar, 1 its end.
    assert [each["width"] for each in bars] == ["71.1%", "68.4%"]


def test_a_likeness_below_what_is_needed_looks_different() -> None:
    document = Document(html_page(page([], portraits=[shown(1, likeness=Likeness(0.7, needed=0.81))])))
    assert [each["width"] for each in document.all("rect") if each.get("class") == "less"] == ["21.1%"]
    assert "The photos themselves" not in document.text
    assert "Below 0.81 a portrait counts as somebody else." in document.text


def test_a_likeness_without_a_scale_and_no_likeness_are_shown_as_they_are() -> None:
    text = Document(html_page(page([], portraits=[shown(1, likeness=Likeness(0.7)), shown(2, likeness=None)]))).text
    assert text.count("likeness 0.70") == 1
    assert "needed" not in text


def test_why_ranks_do_not_follow_likeness_is_told_where_there_are_ranks_to_compare() -> None:
    assert RANKS in Document(html_page(page([1, 2]))).text
    assert RANKS not in Document(html_page(page([1]))).text


def test_portraits_that_nobody_judged_are_shown_large_and_not_as_refused() -> None:
    why = (Why("Could not be judged", "There is no analyzer of faces."),)
    unjudged = [shown(0, outcome=Outcome.NOT_JUDGED, likeness=None, why=why, seed=seed) for seed in (1, 2)]
    html = html_page(page([], portraits=unjudged))
    text = Document(html).text
    assert '<div class="cards best">' in html
    assert text.count("Not judged") == 1
    assert "There is no analyzer of faces." in text
    assert "<details" not in html


def test_what_may_show_nudity_is_not_shown_unless_it_is_opened() -> None:
    document = Document(html_page(page([], portraits=[shown(0, hidden=True)])))
    assert len([each for each in document.all("img") if "refused" in str(each["src"])]) == 1, "in the larger view alone"
    assert "not shown unless you open it" in document.text


def test_the_words_that_a_portrait_was_painted_from_are_in_its_larger_view_alone() -> None:
    html = html_page(page([1]))
    assert "title=" not in re.sub(r'title="Download [^"]*"', "", html)
    assert html.count("photo of sks, suit 1") == 1
    assert html.index("popover role") < html.index("photo of sks, suit 1")


@pytest.mark.parametrize("width", [16, 64, 100, 128, 200, SMALL_PX])
def test_small_pictures_are_shown_at_whole_multiples_of_their_size(width: int) -> None:
    rules = style_sheet([width]).removeprefix(style_sheet([]))
    sizes = [int(size) for size in re.findall(r"[{ ]width: (\d+)px;", rules)]
    assert len(sizes) == 7
    assert all(size % width == 0 for size in sizes)
    assert max(sizes) <= 256
    assert f"round(down, min(86vw, 76vh, {4 * width}px), {width}px)" in rules
    assert "image-rendering: pixelated" in rules


def test_large_pictures_are_left_to_the_browser() -> None:
    assert style_sheet([512, 1024]) == style_sheet([])
    wide = Picture("portraits/01.png", 1024, 1024, "x")
    assert "img.w1024" not in html_page(page([], portraits=[shown(1, picture=wide)]))
