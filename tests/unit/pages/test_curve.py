"""The training's curve is well-formed, stays in its frame, and is legible on a phone."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from headshots.pages.css import style_sheet
from headshots.pages.curve import NARROW, WIDE, Frame, curve_svg
from headshots.pages.page import html_page
from tests.support.images.pages import page

PHONE_PX, MARGINS_PX = 390, 32
LEGIBLE_PX = 11


@pytest.mark.parametrize("frame", [WIDE, NARROW])
@pytest.mark.parametrize(
    "points",
    [
        [(1, 0.5)],
        [(1, 0.3), (2, 0.3)],
        [(10 * step, 1 / step) for step in range(1, 200)],
        [(1, 1e-6), (2, 5e-6)],
        [(1, 100.0), (900, 0.0)],
    ],
)
def test_curve_is_well_formed_and_stays_in_its_frame(points: list[tuple[int, float]], frame: Frame) -> None:
    root = ElementTree.fromstring(curve_svg(points, frame))
    _, _, width, height = (float(number) for number in root.attrib["viewBox"].split())
    assert (width, height) == (frame.width, frame.height)
    lines = [each.attrib["points"] for each in root.iter("polyline")]
    assert len(lines) == 2
    for line in lines:
        pairs = [tuple(map(float, pair.split(","))) for pair in line.split()]
        assert len(pairs) == len(points)
        assert all(0 <= x <= width and 0 <= y <= height for x, y in pairs)


def test_curve_falls_where_the_loss_falls() -> None:
    root = ElementTree.fromstring(curve_svg([(1, 0.9), (2, 0.5), (3, 0.1)]))
    measured = root.find("polyline[@class='measured']")
    assert measured is not None
    heights = [float(pair.split(",")[1]) for pair in measured.attrib["points"].split()]
    assert heights == sorted(heights), "SVG counts downwards"


@pytest.mark.parametrize(("chosen", "marks"), [(0, 0), (5, 1), (20, 1), (21, 0)])
def test_the_step_that_was_taken_is_marked(chosen: int, marks: int) -> None:
    root = ElementTree.fromstring(curve_svg([(1, 0.9), (20, 0.5)], chosen=chosen))
    lines = root.findall("line[@class='chosen']")
    assert len(lines) == marks
    if marks:
        [words] = root.findall("text[@class='chosen']")
        assert words.text == f"step {chosen} taken"
        assert (words.attrib["text-anchor"] == "end") == (chosen == 20)


def test_labels_on_a_phone_are_legible() -> None:
    """The narrow drawing is about as wide as a phone's text, so its labels are shown at about their own size."""
    sheet = style_sheet([])
    size = re.search(r"\.curve text \{ font-size: (\d+)px", sheet)
    assert size is not None
    assert int(size[1]) * (PHONE_PX - MARGINS_PX) / NARROW.width >= LEGIBLE_PX
    html = html_page(page())
    assert html.count('class="curve wide"') == html.count('class="curve narrow"') == 1
    assert ".curve.narrow { display: none" in sheet
    phone = sheet[sheet.index("@media (max-width: 620px)") :]
    assert ".curve.wide { display: none" in phone
    assert ".curve.narrow { display: block" in phone
