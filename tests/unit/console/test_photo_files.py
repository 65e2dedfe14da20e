"""Tests what the command line says about verdicts on faces."""

from __future__ import annotations

import pytest

from headshots.cli.commands.photos import print_inspection
from headshots.client import PhotosInspection
from headshots.client.convert.photos import photos_inspection
from headshots.console.photo_files import BUNDLED_ANALYZER, FACE_REASONS, report_face_analyzer, report_inspection
from headshots.faces import open_analyzer
from headshots.v1 import photos_pb2


def inspection(analyzer: str, *reasons: str) -> PhotosInspection:
    """Of one photo with these findings."""
    message = photos_pb2.InspectPhotosResponse(analyzer=analyzer, faces_checked=bool(analyzer))
    photo = message.photos.add(filename="a.jpg")
    for reason in reasons:
        photo.findings.add(reason=reason, message="it is bad")
    return photos_inspection(message)


def test_the_bundled_analyzer_is_known_by_its_name() -> None:
    analyzer = open_analyzer("bundled")
    assert analyzer is not None
    assert analyzer.name.startswith(BUNDLED_ANALYZER)


@pytest.mark.parametrize("reason", sorted(FACE_REASONS))
def test_verdicts_of_an_analyzer_of_drawn_people_are_told_so(reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    report_face_analyzer(inspection(f"{BUNDLED_ANALYZER}0a1b", reason))
    said = capsys.readouterr().err
    assert "drawn portraits only" in said
    assert "HEADSHOTS_GATEWAY_FACES=people" in said


def test_other_verdicts_and_other_analyzers_are_not_doubted(capsys: pytest.CaptureFixture[str]) -> None:
    report_face_analyzer(inspection(f"{BUNDLED_ANALYZER}0a1b", "BLURRY"))
    report_face_analyzer(inspection("opencv-yunet-sface", "NO_FACE"))
    assert capsys.readouterr().err == ""
    report_face_analyzer(inspection(""))
    said = capsys.readouterr().err
    assert "faces were not looked for" in said
    assert "HEADSHOTS_GATEWAY_FACES names one" in said


def test_a_photo_that_is_repeated_is_called_by_its_file(capsys: pytest.CaptureFixture[str]) -> None:
    message = photos_pb2.InspectPhotosResponse(analyzer="opencv-yunet-sface", faces_checked=True)
    message.photos.add(filename="a.jpg")
    twice = message.photos.add(filename="b.jpg")
    twice.findings.add(reason="DUPLICATE", message="it shows the same as photos[0]; leave it out", duplicate_of=0)
    report_inspection(photos_inspection(message))
    assert "b.jpg is left out: DUPLICATE, it shows the same as a.jpg; leave it out" in capsys.readouterr().err


def test_what_somebody_should_look_at_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    message = photos_pb2.InspectPhotosResponse(analyzer="people-0a1b", faces_checked=True, ready_to_train=True)
    message.reviews.add(reason="POSSIBLY_MINOR", message="have somebody check their age", measured=19.5, limit=25)
    found = photos_inspection(message)
    assert [(review.reason, review.measured, review.limit) for review in found.reviews] == [
        ("POSSIBLY_MINOR", 19.5, 25)
    ]
    report_inspection(found)
    assert "please look: POSSIBLY_MINOR, have somebody check their age" in capsys.readouterr().err
    print_inspection(found)
    told = capsys.readouterr()
    assert "please look: POSSIBLY_MINOR" in told.err
    assert "ready to train" in told.out


def test_why_a_photo_is_left_out_is_told_in_short_lines(capsys: pytest.CaptureFixture[str]) -> None:
    message = photos_pb2.InspectPhotosResponse(analyzer="opencv-yunet-sface", faces_checked=True)
    told = "the picture has too little detail to learn from; take it again with more light, and hold still"
    message.photos.add(filename="a.jpg").findings.add(reason="BLURRY", message=told)
    report_inspection(photos_inspection(message))
    lines = capsys.readouterr().err.splitlines()
    assert max(map(len, lines)) <= 80
    assert " ".join(line.strip() for line in lines) == f"a.jpg is left out: BLURRY, {told}"
