"""`--html` leaves a page beside the images of any gallery or shoot, and takes the place of no other file."""

from __future__ import annotations

from pathlib import Path

import pytest

from headshots.v1 import galleries_pb2
from tests.support.fake_gateway.styles import STYLES
from tests.support.images.pages import Document
from tests.support.terminal import TWO_STYLES, Terminal


@pytest.fixture
def gallery(terminal: Terminal, selfies: Path, tmp_path: Path) -> str:
    """Of two styles three shots each, seeds 11 to 13; the last of each style is refused."""
    (selfies / "broken.jpg").unlink()
    terminal.run("subjects", "create", "Ada <i>", "--class-noun", "woman")
    terminal.run("train", "s0", "--photos", str(selfies), "--steps", "20")
    styles = ("--style", STYLES[0], "--style", STYLES[2])
    order = ("generate", "s0", *styles, "--shots", "3", "--seed", "11", "--style-seeds", "same")
    return str(terminal.json(*order, "--out", str(tmp_path / "first"))["gallery"]["name"])


def links_of(page: Path) -> tuple[Document, set[str]]:
    document = Document(page.read_text("utf-8"))
    links = {link.removeprefix("./") for link in document.links}
    assert all((page.parent / link).is_file() for link in links)
    return document, links


def test_any_gallery_gets_a_page_with_its_images_by_rank(terminal: Terminal, gallery: str, tmp_path: Path) -> None:
    out = tmp_path / "fetched"
    told = terminal.run("galleries", "fetch", gallery, "--html", "--out", str(out)).stdout.split()
    assert told[-1] == str(out / "gallery.html")
    document, links = links_of(out / "gallery.html")
    assert links == {path.name for path in out.iterdir()} - {"gallery.html"}
    assert len(links) == 6
    files = [str(each["download"]) for each in document.all("a")]
    assert files[0] == f"{STYLES[2]}-12.png", "the fake ranks the last accepted one first"
    assert "Ada <i>" in document.text
    assert "6 portraits in 2 styles, judged by profile-worthy v1." in document.text
    assert "2 portraits are refused" in document.text
    assert "Eyes closed. The eyes have 10% of their contrast in the photos; 40% are needed." in document.text
    assert "20 steps on" in document.text, "the training whose adapter it was painted with"
    again = terminal.json("galleries", "fetch", gallery, "--html", "--out", str(out))
    assert again["page"] == str(out / "gallery.html")
    assert "page" not in terminal.json("galleries", "fetch", gallery, "--out", str(out))


def test_a_gallery_that_is_painted_gets_its_page_at_once(terminal: Terminal, gallery: str, tmp_path: Path) -> None:
    out = tmp_path / "second"
    terminal.run("generate", "s0", "--style", STYLES[0], "--shots", "2", "--html", "--out", str(out))
    _, links = links_of(out / "gallery.html")
    assert len(links) == 2


def test_a_shoot_gets_a_page_with_what_was_saved_of_it(terminal: Terminal, selfies: Path, tmp_path: Path) -> None:
    terminal.fake.refused_shots = {1}
    out = tmp_path / "portraits"
    order = ("shoot", str(selfies), *TWO_STYLES, "--count", "4", "--html", "--out", str(out))
    told = terminal.run(*order, code=7).stdout
    assert str(out / "shoot.html") in told.split()
    document, links = links_of(out / "shoot.html")
    assert len(links) == 4
    assert "4 portraits in 2 styles, judged by profile-worthy v1." in document.text
    assert "Accepted3 of 4" in document.text
    assert "Guaranteenot met" in document.text
    assert "Not alike enough." in document.text
    assert "nine of ten within 2 min" in document.text
    assert "not saved here" not in document.text
    shoot = terminal.json("shoots", "list", "s0")[0]["name"]
    terminal.fake.galleries["subjects/s0/galleries/g0"].images[-1].likeness = 0.5
    watch = ("shoots", "watch", shoot, "--best", "2", "--html", "--out", str(tmp_path / "best"))
    told = terminal.json(*watch, code=7)
    document, links = links_of(Path(told["page"]))
    assert len(links) == 2
    # Over all that are accepted, saved or not.
    assert "Likeness0.70 mean" in document.text
    assert "2 more portraits of subjects/s0/galleries/g0 are not saved here." in document.text


def test_another_file_of_that_name_is_told_of_before_anything_is_painted(
    terminal: Terminal, gallery: str, selfies: Path, tmp_path: Path
) -> None:
    for name in ("gallery.html", "shoot.html"):
        (tmp_path / name).write_text("<p>mine</p>")
    out = ("--html", "--out", str(tmp_path))
    painted = (terminal.fake.calls["CreateGallery"], terminal.fake.calls["CreateShoot"])
    shoot = ("shoot", str(selfies), *TWO_STYLES, "--count", "2")
    for words in (("galleries", "fetch", gallery), ("generate", "s0", "--style", STYLES[0]), shoot):
        refused = terminal.run(*words, *out, code=4)
        assert "PAGE_IN_THE_WAY" in refused.stderr
        assert "name another folder, or move it away" in " ".join(refused.stderr.split())
    assert (terminal.fake.calls["CreateGallery"], terminal.fake.calls["CreateShoot"]) == painted
    assert (tmp_path / "gallery.html").read_text() == (tmp_path / "shoot.html").read_text() == "<p>mine</p>"


def test_styles_have_seeds_of_their_own_unless_the_same_are_asked_for(
    terminal: Terminal, gallery: str, tmp_path: Path
) -> None:
    order = ("generate", "s0", "--style", STYLES[0], "--style", STYLES[2], "--shots", "1", "--seed", "7")
    for more, wanted, seeds in (
        ((), galleries_pb2.STYLE_SEEDS_VARIED, 2),
        (("--style-seeds", "same"), galleries_pb2.STYLE_SEEDS_SAME, 1),
    ):
        told = terminal.json(*order, *more, "--out", str(tmp_path / str(seeds)))
        [asked] = [each for each in terminal.fake.requests[-3:] if isinstance(each, galleries_pb2.CreateGalleryRequest)]
        assert (asked.style_seeds, asked.seed) == (wanted, 7)
        assert len({image["seed"] for image in told["gallery"]["images"]}) == seeds
        assert told["gallery"]["style_seeds"] == galleries_pb2.StyleSeeds.Name(wanted).removeprefix("STYLE_SEEDS_")
