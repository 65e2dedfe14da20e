"""Tests what a run leaves to look at: the page with its files, and the contact sheet."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headshots.client import Guarantee, TeamFault, TeamPortrait
from headshots.demo.results.album import Album, LeftOut, Missing
from headshots.demo.results.best_ten import best_ten
from headshots.demo.results.contact_sheet import contact_sheet
from headshots.demo.results.page import PORTRAITS, page_of, write_album
from headshots.errors import NotFoundError
from headshots.pages.models import Absent, BeforeAfter, Outcome, TeamRow
from tests.support.images.albums import album, one_look, painted, picture, portrait, remixed
from tests.support.images.pages import Document


def written(shown: Album, out: Path) -> Document:
    write_album(shown, out)
    return Document((out / "gallery.html").read_text("utf-8"))


def test_the_page_shows_files_that_lie_beside_it(tmp_path: Path) -> None:
    shown = album()
    document = written(shown, tmp_path)
    links = {link.removeprefix("./") for link in document.links}
    assert all((tmp_path / link).is_file() for link in links)
    files = {path.relative_to(tmp_path).as_posix() for path in (tmp_path / PORTRAITS).rglob("*") if path.is_file()}
    assert links == files
    assert len(files) == len(shown.selfies) + shown.image_count == 18
    best = shown.portraits[0]
    assert (tmp_path / PORTRAITS / "01-suit.png").read_bytes() == best.painted.content


def test_the_files_of_an_earlier_run_are_gone_with_its_page(tmp_path: Path) -> None:
    written(album(), tmp_path)
    document = written(album(styles=["robe"], shots=2), tmp_path)
    names = sorted(path.name for path in (tmp_path / PORTRAITS).iterdir())
    assert names == ["01-robe.png", "refused-01-robe.png", "selfies"]
    assert "2 portraits in 1 style" in document.text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gallery.html", PORTRAITS]


def test_selfies_are_small_copies_that_tell_nothing_else(tmp_path: Path) -> None:
    photo = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    Image.new("RGB", (3000, 4000), (1, 2, 3)).save(photo, "JPEG", exif=exif)
    written(replace(album(), selfies=[photo.getvalue()]), tmp_path)
    with Image.open(tmp_path / PORTRAITS / "selfies" / "selfie-01.jpg") as copy:
        assert copy.size == (144, 192)
        assert not copy.getexif()


def test_the_best_come_first_each_with_its_verdict() -> None:
    page = page_of(album(), [])
    assert [each.rank for each in page.portraits] == [*range(1, 12), 0]
    assert page.portraits[-1].outcome is Outcome.REFUSED
    facts = {each.name: each.value for each in page.facts}
    assert (facts["Accepted"], facts["Guarantee"], facts["Tries"]) == ("11 of 12", "not met", "14")
    took = "The shoot took 1 min 30 s; quoted 1 min 40 s, nine of ten within 2 min 10 s."
    assert page.timing_note == f"94 seconds in all. {took}"
    assert [(each.name, each.seconds) for each in page.timings] == [
        ("starting services", 4.0),
        ("uploading selfies", 0.5),
        ("training", 60.0),
        ("painting and judging", 30.0),
    ]
    assert page.learning is not None


def test_a_shoot_that_nothing_could_be_quoted_from_says_so() -> None:
    shown = album()
    unmeasured = replace(shown.shoot.quote, expected_finish_time=None, latest_finish_time=None, measured_on=0)
    page = page_of(replace(shown, shoot=replace(shown.shoot, quote=unmeasured)), [])
    assert "took 1 min 30 s; there was nothing to quote it by" in page.timing_note


def test_a_guarantee_that_was_not_measured_is_no_pass() -> None:
    shown = album()
    shown = replace(shown, shoot=replace(shown.shoot, guarantee=Guarantee.NOT_MEASURED))
    assert {each.name: each.value for each in page_of(shown, []).facts}["Guarantee"] == "not measured"


def test_photos_that_were_left_out_are_told_of_in_words() -> None:
    assert "Left out" not in page_of(album(), []).selfies_note
    shown = replace(album(), left_out=[LeftOut("b.jpg", "BLURRY"), LeftOut("c.jpg", "NO_FACE")])
    assert page_of(shown, []).selfies_note.endswith("Left out before: b.jpg (blurry), c.jpg (no face).")


def test_figures_of_the_machine_are_no_facts_about_the_person() -> None:
    page = page_of(album(), [])
    assert {each.name for each in page.facts} == {"Accepted", "Guarantee", "Tries"}
    figures = {each.name: each.value for each in page.figures}
    assert figures["Peak memory"] == "2.0 GiB"
    assert (figures["Foundation"], figures["Styles"]) == ("tiny-portrait", "the built-in styles for drawn people")
    assert figures["Face analyzer"] == "none"


def _corner(sheet: Image.Image, colour: object) -> tuple[int, int]:
    """Of the first pixel of a colour, by rows."""
    y, x = np.argwhere((np.asarray(sheet) == np.asarray(colour)).all(axis=-1))[0]
    return int(x), int(y)


def test_contact_sheet_shows_the_best_large_and_the_others_below() -> None:
    shown = album(styles=["suit", "coat", "park"], shots=4)
    sheet = contact_sheet(shown)
    places = [_corner(sheet, Image.open(io.BytesIO(each.painted.content)).getpixel((0, 0))) for each in shown.portraits]
    first, second, rest = places[:5], places[5:10], places[10:]
    for row in (first, second, rest):
        assert [x for x, _ in row] == sorted({x for x, _ in row}), "the best stands first"
        assert len({y for _, y in row}) == 1
    assert first[0][1] < second[0][1] < rest[0][1]
    assert first[0][0] == second[0][0] == rest[0][0]
    large, small = first[1][0] - first[0][0], rest[1][0] - rest[0][0]
    assert large > 1.5 * small


def test_contact_sheet_of_one_shot_and_many_selfies_stays_in_bounds() -> None:
    shown = replace(album(styles=["suit"], shots=1), selfies=[picture((5, 5, 5))] * 20)
    sheet = contact_sheet(shown)
    assert sheet.width >= 192
    assert sheet.height > sheet.width / 4


def test_small_pictures_are_enlarged_by_whole_steps_on_the_contact_sheet() -> None:
    content = io.BytesIO()
    chequered = Image.new("RGB", (128, 128), (0, 0, 0))
    for x in range(128):
        for y in range(128):
            if (x + y) % 2:
                chequered.putpixel((x, y), (255, 0, 0))
    chequered.save(content, "PNG")
    shown = replace(album(), portraits=[portrait("suit", 0, content.getvalue(), side=128, rank=1)])
    sheet = contact_sheet(shown)
    left, top = _corner(sheet, (255, 0, 0))
    # Two pixels wide and high each: the first red one is the second of the row, as large as the black one before it.
    assert [sheet.getpixel((left + step, top)) for step in range(4)] == [(255, 0, 0)] * 2 + [(0, 0, 0)] * 2
    assert sheet.getpixel((left, top + 1)) == (255, 0, 0)


def test_the_readmes_picture_shows_the_best_ten_of_a_run(tmp_path: Path) -> None:
    shown = album()
    write_album(shown, tmp_path)
    drawn = best_ten(tmp_path)
    colours = [Image.open(io.BytesIO(each.painted.content)).getpixel((0, 0)) for each in shown.portraits]
    places = [_corner(drawn, colour) for colour in colours[:10]]
    assert places == sorted(places, key=lambda place: (place[1], place[0])), "the best stands first"
    assert len({y for _, y in places}) == 2
    with pytest.raises(IndexError):
        _corner(drawn, colours[10])
    with pytest.raises(NotFoundError, match=r"PORTRAITS_MISSING.*make demo"):
        best_ten(tmp_path / "elsewhere")


def test_a_remix_and_a_team_have_files_of_their_own_on_the_page(tmp_path: Path) -> None:
    shown = album()
    shown = replace(shown, remix=remixed(shown.portraits[0]), team=one_look())
    document = written(shown, tmp_path)
    pictures = [str(each["src"]).removeprefix("./portraits/") for each in document.all("img")]
    assert pictures[-4:] == ["01-suit.png", "remix/city-at-night.png", "team/1-ada.png", "team/2-bo.png"]
    assert (tmp_path / PORTRAITS / "remix" / "city-at-night.png").read_bytes() == picture((9, 9, 99))
    assert (tmp_path / PORTRAITS / "team" / "2-bo.png").read_bytes() == picture((70, 70, 7))
    assert all((tmp_path / link).is_file() for link in document.links)
    written(album(), tmp_path)
    assert not list((tmp_path / PORTRAITS).glob("remix/*"))
    assert not list((tmp_path / PORTRAITS).glob("team/*"))


def test_the_page_says_what_became_of_the_remix() -> None:
    shown = album()
    made = remixed(shown.portraits[0])
    told = page_of(replace(shown, remix=made), []).remix
    assert isinstance(told, BeforeAfter)
    assert (told.change, told.words, told.note) == (
        "backdrop",
        "city at night",
        "The new one is accepted, likeness 0.87.",
    )
    told = page_of(replace(shown, remix=replace(made, note="The backdrop was refused: why.")), []).remix
    assert isinstance(told, BeforeAfter)
    assert told.note.endswith("The backdrop was refused: why.")
    told = page_of(replace(shown, remix=remixed(shown.portraits[0], rank=0)), []).remix
    assert isinstance(told, BeforeAfter)
    assert told.note.startswith("The new one is refused (BLURRY 0.25 (limit 0.5))")


def test_the_page_says_who_falls_out_of_the_team_and_who_has_no_portrait() -> None:
    told = page_of(replace(album(), team=one_look()), []).team
    assert isinstance(told, TeamRow)
    assert [(each.name, each.note) for each in told.members] == [
        ("Ada", "accepted"),
        ("Bo", "accepted; falls out by light; painted again 2 times"),
    ]
    assert told.note.endswith("Cy has no portrait: TRAINING_KILLED: no memory.")
    figures = {each.name: each.value for each in told.consistency}
    assert figures == {"Eye lines": "0.4%", "Heads": "0.6%", "Light": "0.21", "Backdrops": "ΔE 1.2"}


def test_a_member_that_is_refused_is_told_why_once() -> None:
    made = one_look()
    refused = painted("suit", 3, picture((1, 1, 1)))
    standing = TeamPortrait("subjects/s/galleries/g/images/0", "styles/suit", False, None, (TeamFault.NOT_ACCEPTED,), 1)
    mates = [replace(made.members[0], painted=refused, portrait=standing)]
    told = page_of(replace(album(), team=replace(made, members=mates, consistency=None)), []).team
    assert isinstance(told, TeamRow)
    assert told.members[0].note == "not accepted: blurry; painted again"
    assert [each.value for each in told.consistency] == ["not measured"]


def test_what_could_not_be_made_stands_on_the_page_with_its_reason() -> None:
    page = page_of(album(), [])
    assert page.remix == Absent("The best portrait was not remixed. PORTRAITS_REFUSED: every portrait was refused.")
    assert page.team == Absent("No team was painted. ONE_PERSON: these photos are of one.")
    unjudged = replace(album(), team=Missing("SERVICE_DIED", "the trainer ended"))
    assert page_of(unjudged, []).team == Absent("No team was painted. SERVICE_DIED: the trainer ended.")
