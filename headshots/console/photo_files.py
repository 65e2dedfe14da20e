"""Finds photos on this machine, and uploads those that are new, after an inspection where that is wanted."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headshots.client import (
        Headshots,
        Labelling,
        Photo,
        PhotoFinding,
        PhotoInspection,
        PhotoRef,
        PhotosInspection,
        SubjectRef,
    )

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif"})
# Pictures too, but of formats that no gateway takes.
OTHER_SUFFIXES = frozenset({".gif", ".bmp", ".tif", ".tiff", ".avif", ".jxl", ".jp2", ".dng", ".svg"})
BUNDLED_ANALYZER = "portrait-analyzer-"
FACE_REASONS = frozenset(
    {"NO_FACE", "MULTIPLE_FACES", "FACE_TOO_SMALL", "FACE_CUT_OFF", "FACE_TURNED", "EYES_HIDDEN", "DIFFERENT_PERSON"}
)


@dataclass(frozen=True)
class Sent:
    """What became of photos on this machine: uploaded now, there before, or left out as unusable."""

    uploaded: Sequence[Photo]
    known: int = 0
    left_out: int = 0

    def __str__(self) -> str:
        """For people."""
        from headshots.console.output import counted

        parts = [f"{counted(len(self.uploaded), 'photo')} uploaded"]
        if self.known:
            parts.append(f"{self.known} {'was' if self.known == 1 else 'were'} there already")
        if self.left_out:
            parts.append(f"{self.left_out} left out")
        return ", ".join(parts)


def find_photos(paths: Iterable[Path]) -> list[Path]:
    """The files, and the photos in the folders, by name. Reports what else is in a folder.

    Raises:
        InvalidPhotoError: PHOTO_MISSING: a path that is not there, or a folder without a photo.
    """
    from headshots.errors import InvalidPhotoError

    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise InvalidPhotoError("PHOTO_MISSING", f"there is no {path}")
        found += _in_folder(path) if path.is_dir() else [path]
    return found


def _in_folder(folder: Path) -> list[Path]:
    from headshots.console.output import note
    from headshots.errors import InvalidPhotoError

    files = sorted(each for each in folder.iterdir() if not each.name.startswith("."))
    photos = [each for each in files if each.suffix.lower() in SUFFIXES and each.is_file()]
    kinds = ", ".join(sorted(suffix.removeprefix(".") for suffix in SUFFIXES))
    for other in files:
        if other.is_dir():
            note(f"{other} is left out: folders within a folder are not looked into; name it too")
        elif other.suffix.lower() in OTHER_SUFFIXES:
            note(f"{other} is left out: convert it to one of {kinds}")
        elif other not in photos:
            note(f"{other} is left out: it is no photo ({kinds})")
    if not photos:
        raise InvalidPhotoError("PHOTO_MISSING", f"the folder {folder} holds no photo ({kinds})")
    return photos


def upload_new(
    client: Headshots, subject: SubjectRef, paths: Sequence[Path], labelling: Labelling | None = None
) -> Sent:
    """Upload those that the subject does not have yet, each labelled so, so that a command may be repeated.

    Raises:
        InvalidPhotoError: one cannot be used; nothing was stored.
    """
    fresh = _new_ones(client, subject, paths)
    uploaded = client.upload_photos(subject, fresh, labelling=labelling) if fresh else []
    return Sent(uploaded, known=len(paths) - len(fresh))


def upload_usable(
    client: Headshots, subject: SubjectRef, paths: Sequence[Path], labelling: Labelling | None = None
) -> Sent:
    """Upload the new photos that an inspection beside the subject's own finds usable; reports the others."""
    candidates = _inspect_new(client, subject, paths)
    return candidates.upload(client, subject, labelling)


def upload_to_train(client: Headshots, subject: SubjectRef, paths: Sequence[Path]) -> tuple[Sent, list[PhotoRef]]:
    """Upload as `upload_usable`, but only where the usable photos are enough to train on; returns those too.

    Raises:
        InvalidPhotoError: PHOTOS_NOT_READY: it is not; nothing was uploaded.
    """
    from headshots.errors import InvalidPhotoError

    candidates = _inspect_new(client, subject, paths)
    if not candidates.inspection.ready_to_train:
        raise InvalidPhotoError(
            "PHOTOS_NOT_READY", "; ".join(finding.message for finding in candidates.inspection.findings)
        )
    sent = candidates.upload(client, subject)
    usable = (photo for photo in candidates.stored if photo.usable)
    return sent, [*usable, *sent.uploaded]


@dataclass(frozen=True)
class _Inspected:
    """The files that a subject does not have, inspected beside the photos that it has."""

    known: int
    files: Sequence[Path]
    inspection: PhotosInspection

    @property
    def stored(self) -> Sequence[PhotoInspection]:
        return self.inspection.photos[: len(self.inspection.photos) - len(self.files)]

    def upload(self, client: Headshots, subject: SubjectRef, labelling: Labelling | None = None) -> Sent:
        judged = self.inspection.photos[len(self.stored) :]
        usable = [file for file, photo in zip(self.files, judged, strict=True) if photo.usable]
        uploaded = client.upload_photos(subject, usable, labelling=labelling) if usable else []
        return Sent(uploaded, self.known, left_out=len(self.files) - len(usable))


def _inspect_new(client: Headshots, subject: SubjectRef, paths: Sequence[Path]) -> _Inspected:
    fresh = _new_ones(client, subject, paths)
    inspection = client.inspect_photos(subject, fresh)
    report_inspection(inspection)
    return _Inspected(len(paths) - len(fresh), fresh, inspection)


def report_inspection(inspection: PhotosInspection) -> None:
    """Say of each photo that is left out why."""
    from headshots.console.output import note_lines

    for photo in inspection.photos:
        for finding in photo.findings:
            note_lines(f"{_called(photo)} is left out: {finding.reason}, {told(finding, inspection)}")
    report_reviews(inspection)
    report_face_analyzer(inspection)


def report_reviews(inspection: PhotosInspection) -> None:
    """Say what somebody should look at."""
    from headshots.console.output import note_lines

    for review in inspection.reviews:
        note_lines(f"please look: {review.reason}, {review.message}")


def told(finding: PhotoFinding, inspection: PhotosInspection) -> str:
    """The message, with a photo's file in place of its number in the call."""
    if finding.duplicate_of is None:
        return finding.message
    original = inspection.photos[finding.duplicate_of]
    return finding.message.replace(f"photos[{finding.duplicate_of}]", _called(original))


def _called(photo: PhotoInspection) -> str:
    return photo.filename or photo.name


def report_face_analyzer(inspection: PhotosInspection) -> None:
    """Say where the verdicts about faces are missing, or may be wrong."""
    from headshots.console.output import note

    if not inspection.faces_checked:
        note(
            "faces were not looked for, and portraits will not be judged: the gateway has no analyzer; "
            "HEADSHOTS_GATEWAY_FACES names one (docs/operations.md)"
        )
    reasons = {finding.reason for photo in inspection.photos for finding in photo.findings}
    if inspection.analyzer.startswith(BUNDLED_ANALYZER) and reasons & FACE_REASONS:
        note(
            "faces were judged by the bundled analyzer, which knows those of drawn portraits only; for photos of real "
            "people start the gateway with HEADSHOTS_GATEWAY_FACES=people (docs/analyzers.md) or none, "
            "and with a real foundation"
        )


def _new_ones(client: Headshots, subject: SubjectRef, paths: Sequence[Path]) -> list[Path]:
    known = {photo.sha256 for photo in client.list_photos(subject)} if paths else set()
    return [path for path in paths if hashlib.sha256(path.read_bytes()).hexdigest() not in known]
