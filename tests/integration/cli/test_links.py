"""Tests `headshots images links` against a gateway in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.fake_gateway.pictures import painted_png
from tests.support.fake_gateway.styles import STYLES
from tests.support.terminal import Terminal

GALLERY = "subjects/s0/galleries/g0"


@pytest.fixture
def gallery(terminal: Terminal, tmp_path: Path) -> str:
    photos = tmp_path / "selfies"
    photos.mkdir()
    for number in range(6):
        (photos / f"{number}.png").write_bytes(painted_png("selfie", number))
    terminal.run("subjects", "create")
    terminal.run("train", "s0", "--photos", str(photos))
    terminal.run("generate", "s0", "--style", STYLES[0], "--shots", "3", "--out", str(tmp_path / "out"))
    return GALLERY


def test_links_are_printed_a_line_each(terminal: Terminal, gallery: str) -> None:
    urls = [f"http://images.example.com/{GALLERY}/images/{number}" for number in range(3)]
    assert terminal.run("images", "links", gallery).stdout.split() == urls
    some = terminal.run("images", "links", gallery, "--image", "2", "--image", "0", "--valid-seconds", "60")
    assert some.stdout.split() == [urls[2], urls[0]]
    [link] = terminal.json("images", "links", gallery, "--image", "1", "--valid-seconds", "60")
    assert link == {"image": f"{GALLERY}/images/1", "url": urls[1], "expire_time": "1970-01-01T00:01:00+00:00"}


def test_what_cannot_be_linked_to_is_an_error(terminal: Terminal, gallery: str) -> None:
    assert "IMAGE_NOT_FOUND" in terminal.run("images", "links", gallery, "--image", "7", code=4).stderr
    terminal.run("images", "links", gallery, "--valid-seconds", "604801", code=2)
