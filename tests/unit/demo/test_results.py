"""Tests the gallery page, its curve, and the contact sheet: complete, self-contained, escaped and accessible."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from PIL import Image

from headshots.client import Guarantee
from headshots.demo.results.album import LeftOut
from headshots.demo.results.contact_sheet import contact_sheet
from headshots.demo.results.curve import curve_svg
from headshots.demo.results.page import gallery_page
from tests.support.images.albums import album, picture, portrait

VOID = {"meta", "img", "line", "polyline"}


class Page(HTMLParser):
    """Reads a page and holds every opened element against its end."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        if tag == "img":
            self.images.append(found)
        self.links += [str(value) for key, value in attributes if key in ("src", "href", "srcset", "action", "data")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        assert tag in VOID

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += data


def decoded(uri: str | None) -> Image.Image:
    assert uri is not None
    head, _, body = uri.partition(",")
    assert re.fullmatch(r"data:image/(png|jpeg|webp);base64", head)
    return Image.open(io.BytesIO(base64.b64decode(body, validate=True)))


def test_page_holds_every_picture_and_asks_for_nothing() -> None:
    shown = album()
    html = gallery_page(shown)
    page = Page(html)
    assert len(page.images) == len(shown.selfies) + shown.image_count == 18
    assert all(link.startswith("data:image/") for link in page.links)
    assert "url(" not in html
    assert "@import" not in html
    assert "<script" not in html
    assert "default-src 'none'" in html


def test_portraits_are_inlined_as_they_are_and_described() -> None:
    shown = album(person="Ada", styles=["suit"], shots=2)
    shots = Page(gallery_page(shown)).images[:2]
    for image, each in zip(shots, shown.portraits, strict=True):
        content = each.painted.content
        assert decoded(image["src"]).convert("RGB").tobytes() == Image.open(io.BytesIO(content)).tobytes()
        assert (image["width"], image["height"]) == ("32", "32")
    assert [image["alt"] for image in shots] == [f"Portrait of Ada, <suit> & co, seed {seed}" for seed in (0, 1)]


def test_the_best_come_first_each_with_its_verdict() -> None:
    text = Page(gallery_page(album())).text
    accepted, refused = text.index("Accepted, the best first"), text.index("Not accepted")
    assert accepted < text.index("1<suit> & coaccepted1 try") < text.index("2<coat> & coaccepted") < refused
    assert refused < text.index("<park> & coBLURRY 0.25 (limit 0.5)3 tries")
    assert "11 of 12" in text
    assert "Guaranteenot met" in text
    assert "Tries14" in text
    assert "The shoot took 1 min 30 s; quoted 1 min 40 s, nine of ten within 2 min 10 s." in text


def test_a_shoot_that_nothing_could_be_quoted_from_says_so() -> None:
    shown = album()
    unmeasured = replace(shown.shoot.quote, expected_finish_time=None, latest_finish_time=None, measured_on=0)
    text = Page(gallery_page(replace(shown, shoot=replace(shown.shoot, quote=unmeasured)))).text
    assert "took 1 min 30 s; there was nothing to quote it by" in text


def test_a_guarantee_that_was_not_measured_is_no_pass() -> None:
    shown = album()
    shown = replace(shown, shoot=replace(shown.shoot, guarantee=Guarantee.NOT_MEASURED))
    assert "Guaranteenot measured" in Page(gallery_page(shown)).text
    assert Page(gallery_page(album(styles=["suit"], shots=1))).text.count("Accepted, the best first") == 0


def test_large_pictures_are_scaled_for_the_page() -> None:
    shown = album(styles=["suit"], shots=1)
    large = portrait("suit", 0, picture((9, 9, 9), (2048, 2048)), side=2048)
    shown = replace(
        shown,
        selfies=[picture((1, 2, 3), (3000, 4000), "JPEG")],
        portraits=[large],
    )
    shot, selfie = (decoded(image["src"]) for image in Page(gallery_page(shown)).images)
    assert selfie.size == (240, 320)
    assert shot.size == (1024, 1024)


def test_words_from_people_are_escaped() -> None:
    html = gallery_page(album(person='<script>alert("x")</script>'))
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "<suit>" not in html


def test_photos_that_were_left_out_are_told_of() -> None:
    assert "Left out" not in Page(gallery_page(album())).text
    shown = replace(album(), left_out=[LeftOut("<b>.jpg", "BLURRY"), LeftOut("c.jpg", "NO_FACE")])
    assert "Left out before: <b>.jpg (BLURRY), c.jpg (NO_FACE)." in Page(gallery_page(shown)).text


def test_likeness_is_never_invented() -> None:
    assert "not measured" in Page(gallery_page(album())).text
    shown = album(styles=["suit"], shots=1)
    measured = replace(
        shown,
        likeness=0.734,
        shoot=replace(shown.shoot, guarantee=Guarantee.MET),
        portraits=[portrait("suit", 0, picture((1, 1, 1)), likeness=0.61)],
    )
    text = Page(gallery_page(measured)).text
    assert "not measured" not in text
    assert "0.73" in text
    assert "likeness 0.61" in text


def test_who_judged_the_portraits_is_told() -> None:
    assert (
        "judged by the analyzer of faces people-0123, and"
        in Page(gallery_page(replace(album(), analyzer="people-0123"))).text
    )
    text = Page(gallery_page(album())).text
    assert "portraits in the built-in styles for drawn people, each judged, and painted again" in text


def test_timings_are_all_there() -> None:
    text = Page(gallery_page(album())).text
    for stage in album().stages:
        assert f"{stage.name}{stage.seconds:.1f} s" in text
    assert "94 seconds in all" in text


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
def test_curve_is_well_formed_and_stays_in_its_frame(points: list[tuple[int, float]]) -> None:
    root = ElementTree.fromstring(curve_svg(points))
    _, _, width, height = (float(number) for number in root.attrib["viewBox"].split())
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


def test_contact_sheet_shows_each_picture_in_its_place() -> None:
    shown = album(styles=["suit", "coat", "park"], shots=3)
    sheet = contact_sheet(shown)
    places = [
        _whereabouts(sheet, Image.open(io.BytesIO(each.painted.content)).getpixel((0, 0))) for each in shown.portraits
    ]
    first_row, rest = places[:8], places[8:]
    assert [x for x, _ in first_row] == sorted({x for x, _ in first_row}), "the best stands first"
    assert len({y for _, y in first_row}) == 1
    assert rest[0][0] == first_row[0][0]
    assert rest[0][1] > first_row[0][1]


def _whereabouts(sheet: Image.Image, colour: object) -> tuple[int, int]:
    pixels = sheet.load()
    assert pixels is not None
    return next((x, y) for y in range(sheet.height) for x in range(sheet.width) if pixels[x, y] == colour)


def test_contact_sheet_of_one_shot_and_many_selfies_stays_in_bounds() -> None:
    shown = replace(album(styles=["suit"], shots=1), selfies=[picture((5, 5, 5))] * 20)
    sheet = contact_sheet(shown)
    assert sheet.width >= 192
    assert sheet.height > sheet.width / 2
