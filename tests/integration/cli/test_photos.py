"""Tests how the command line takes photos from folders that also hold files which no training can use."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from headshots.v1 import trainings_pb2
from tests.support.fake_gateway.pictures import painted_png
from tests.support.terminal import Terminal


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Seven usable selfies, and a file that only looks like one."""
    folder = tmp_path / "selfies"
    folder.mkdir()
    for number in range(7):
        (folder / f"{number}.png").write_bytes(painted_png("selfie", number))
    (folder / "broken.jpg").write_text("not an image")
    return folder


def test_only_usable_photos_are_uploaded_and_learned_from(terminal: Terminal, photos: Path) -> None:
    terminal.run("subjects", "create")
    trained = terminal.run("train", "s0", "--photos", str(photos), "--only-usable")
    assert "broken.jpg is left out: UNDECODABLE" in trained.stderr
    assert "7 photos uploaded, 1 left out" in trained.stderr
    assert "SUCCEEDED" in trained.stdout
    (*_, request) = [each for each in terminal.fake.requests if isinstance(each, trainings_pb2.CreateTrainingRequest)]
    assert len(request.photos) == 7
    again = terminal.run("train", "s0", "--photos", str(photos), "--only-usable")
    assert "0 photos uploaded, 7 were there already, 1 left out" in again.stderr


def test_nothing_is_uploaded_where_the_usable_ones_are_too_few(terminal: Terminal, photos: Path) -> None:
    terminal.run("subjects", "create")
    for number in range(2):
        (photos / f"{number}.png").unlink()
    refused = terminal.run("train", "s0", "--photos", str(photos), "--only-usable", code=4)
    assert "PHOTOS_NOT_READY: send 1 more" in refused.stderr
    assert "UploadPhotos" not in terminal.fake.calls
    sent = terminal.run("photos", "upload", "s0", str(photos), "--only-usable")
    assert "5 photos uploaded, 1 left out" in sent.stderr


def test_a_refused_folder_tells_how_to_leave_out_what_is_bad(terminal: Terminal, photos: Path) -> None:
    terminal.run("subjects", "create")
    for command in (("photos", "upload", "s0", str(photos)), ("train", "s0", "--photos", str(photos))):
        refused = terminal.run(*command, code=4)
        assert "PHOTO_UNDECODABLE" in refused.stderr
        assert "headshots photos inspect" in refused.stderr
        assert "--only-usable" in refused.stderr
    assert terminal.fake.photos["subjects/s0"] == []


def test_pictures_of_formats_that_no_gateway_takes_are_left_out_of_folders(terminal: Terminal, photos: Path) -> None:
    terminal.run("subjects", "create")
    (photos / "broken.jpg").unlink()
    (photos / "holiday.GIF").write_bytes(b"GIF89a")
    sent = terminal.run("photos", "upload", "s0", str(photos))
    assert f"{photos / 'holiday.GIF'} is left out: convert it" in sent.stderr
    assert "7 photos uploaded" in sent.stderr
    for file in photos.glob("*.png"):
        file.unlink()
    empty = terminal.run("photos", "upload", "s0", str(photos), code=4)
    assert "holds no photo (heic, heif, jpeg, jpg, png, webp)" in empty.stderr


def test_what_is_no_photo_in_a_folder_is_told_of(terminal: Terminal, photos: Path) -> None:
    (photos / "broken.jpg").unlink()
    (photos / "notes.txt").write_text("a list")
    (photos / ".hidden").write_text("nobody looks here")
    (photos / "more").mkdir()
    seen = terminal.run("photos", "inspect", str(photos))
    assert f"{photos / 'notes.txt'} is left out: it is no photo (heic" in seen.stderr
    assert f"{photos / 'more'} is left out: folders within a folder are not looked into" in seen.stderr
    assert "hidden" not in seen.stderr
    assert "7 of 7 photos are usable" in seen.stdout


def test_an_empty_file_and_one_that_is_too_large_are_refused_by_name(terminal: Terminal, photos: Path) -> None:
    terminal.run("subjects", "create")
    (photos / "broken.jpg").unlink()
    with (photos / "urlaub.png").open("wb") as file:
        file.truncate(22 * 2**20)
    refused = terminal.run("photos", "upload", "s0", str(photos), code=4)
    assert "PHOTO_TOO_LARGE: photos[7] (urlaub.png)" in refused.stderr
    (photos / "urlaub.png").write_bytes(b"")
    refused = terminal.run("photos", "upload", "s0", str(photos), code=4)
    assert "PHOTO_UNDECODABLE: photos[7] (urlaub.png)" in refused.stderr
    assert terminal.fake.photos["subjects/s0"] == []


def test_paths_are_looked_at_before_a_key_is_asked_for(terminal: Terminal, tmp_path: Path) -> None:
    terminal.environment |= {"HEADSHOTS_API_KEY": "", "HEADSHOTS_HOME": str(tmp_path)}
    assert "PHOTO_MISSING: there is no" in terminal.run("photos", "inspect", str(tmp_path / "nope"), code=4).stderr


def test_one_is_one(terminal: Terminal, photos: Path) -> None:
    terminal.run("subjects", "create")
    assert "1 photo uploaded" in terminal.run("photos", "upload", "s0", str(photos / "0.png")).stderr
    assert "1 of 1 photo is usable" in terminal.run("photos", "inspect", str(photos / "1.png"), code=4).stdout
    listed = json.loads(terminal.run("photos", "list", "s0", "--json").stdout)
    assert [photo["filename"] for photo in listed] == ["0.png"]
