"""Tests how verdicts and long messages read: what was not measured for one reason is told once, in short lines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from headshots.client import Check, Image
from headshots.client.convert.images import image as to_image
from headshots.console.exits import ExitCode, print_error
from headshots.console.verdicts import print_verdicts
from headshots.errors import FailedPreconditionError, FieldViolation
from headshots.v1 import images_pb2
from tests.support.fake_gateway.shoots import verdict


def judged(number: int, *, refused: bool = False, why: str = "") -> Image:
    """An image; `why` it was not measured."""
    message = images_pb2.Image(name=f"subjects/s/galleries/g/images/{number}", style="styles/grey", tries=1)
    message.verdict.CopyFrom(verdict(refused=refused, measured=not why))
    found = to_image(message)
    if not why:
        return found
    assert found.verdict is not None
    checks = tuple(Check(reason, False, None, None, why) for reason in ("BLURRY", "EYES_CLOSED"))
    return replace(found, verdict=replace(found.verdict, checks=checks))


def test_what_was_not_measured_for_one_reason_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    small = "The face is too small to be compared with the photos: less than 24 pixels between the eyes."
    images = [judged(0, refused=True), *(judged(number, why=small) for number in range(1, 41)), judged(41, why="Odd.")]
    print_verdicts(images)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[2] for line in lines[1:3]] == ["refused", "not"]
    assert lines[3:] == [
        "40 images NOT_MEASURED: The face is too small to be compared with the photos:",
        "  less than 24 pixels between the eyes.",
    ]
    print_verdicts(images, names=True)
    assert len(capsys.readouterr().out.splitlines()) == 43, "other commands take the names"


def test_each_bad_photo_of_a_refused_person_has_lines_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    photos = [f"subjects/s/photos/{number:064x}" for number in range(2)]
    told = [f"{photo} (selfie.jpg): BLURRY, the face has less than half of what is needed" for photo in photos]
    head = (
        "a shoot trains on at least 6 usable photos, 4 of the subject's 6 can be used; upload others in place of them"
    )
    error = FailedPreconditionError(
        "TOO_FEW_PHOTOS", f"{head}: {'; '.join(told)}", violations=[FieldViolation("photos", each) for each in told]
    )
    print_error(error, ExitCode.REFUSED, as_json=False)
    lines = capsys.readouterr().err.splitlines()
    assert [line for line in lines if len(line) > 86] == []
    assert [line.split()[0] for line in lines if "photos/" in line] == photos
    assert " ".join(" ".join(lines).split()).startswith(f"error TOO_FEW_PHOTOS: {head}: {told[0]} {told[1]}")


def test_a_message_without_a_list_stays_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    told = "the deadline has passed, " * 8
    violations = [FieldViolation("deadline", "must be in the future")]
    print_error(FailedPreconditionError("X", told, violations=violations), ExitCode.REFUSED, as_json=False)
    assert capsys.readouterr().err.splitlines() == [f"error X: {told}", "  deadline: must be in the future"]


def test_each_member_who_is_refused_has_lines_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    told = [
        (f"members[{at}]", f"SUBJECT_UNTRAINED: subjects/{at:016x} has no adapter; create a training, and wait for it")
        for at in range(2)
    ]
    error = FailedPreconditionError(
        "SUBJECT_UNTRAINED",
        "; ".join(f"{field}: {text}" for field, text in told),
        violations=[FieldViolation(*each) for each in told],
    )
    print_error(error, ExitCode.REFUSED, as_json=False, with_advice=False)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "error SUBJECT_UNTRAINED:"
    assert [line.split()[0] for line in lines if "members[" in line] == ["members[0]:", "members[1]:"]
    assert " ".join(" ".join(lines[1:]).split()) == " ".join(f"{field}: {text}" for field, text in told)
