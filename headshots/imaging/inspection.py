"""Judges whether photos are fit to train on: each by itself, each beside the others, and all of them as a set.

Pure: pictures are measured one by one (`measure`), so that no more than one is in memory, and judged together
(`judge`). Faces are judged where an analyzer has looked for them, and only there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from headshots.faces.base import Face, FaceAnalyzer, Pixels
from headshots.faces.far_faces import far_faces
from headshots.imaging import quality
from headshots.imaging.content import find_minor, find_unsafe
from headshots.imaging.facing import eye_brightness, face_width, find_hidden
from headshots.imaging.findings import Finding
from headshots.imaging.quality import Bits, Floats, QualityLimits

# Nothing that is measured changes on larger pictures, but the time it takes.
MEASURED_SIDE_PX = 1024
# With two people nobody could say which of them is the wrong one.
_MIN_CROWD = 3


@dataclass(frozen=True, slots=True)
class Measured:
    """What is kept of a photo; sides are the whole photo's, all else was measured on at most `MEASURED_SIDE_PX`."""

    width_px: int
    height_px: int
    sharpness: float
    bright_luma: float
    high_luma: float
    """The face's median, or what three quarters of the photo exceed."""
    hash_N: Bits
    faces: tuple[Face, ...] | None
    """None: no analyzer looked."""
    looked_at: tuple[int, int] = (0, 0)
    """Width and height of the picture that the boxes of `faces` are in."""
    unsafe: float | None = None
    """`FaceAnalyzer.unsafe`; None where nobody can tell."""
    face_width: float = 1.0
    """`facing.face_width` of the largest face; this where there is none."""
    eye_brightness: float = 1.0
    """`facing.eye_brightness`, the same."""
    years: float | None = None
    """`FaceAnalyzer.years` of the largest face; None where nobody can tell."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """The verdict: findings of each photo, in order, and of the set."""

    photos: tuple[tuple[Finding, ...], ...]
    findings: tuple[Finding, ...]
    reviews: tuple[Finding, ...] = ()
    """What somebody should look at; it makes nothing unusable."""

    @property
    def usable_count(self) -> int:
        """Photos without findings."""
        return sum(not findings for findings in self.photos)


def measure(picture: Image.Image, analyzer: FaceAnalyzer | None) -> Measured:
    """Measures one upright RGB picture. Some tens of milliseconds of CPU, and what the analyzer takes."""
    small = picture.copy()
    small.thumbnail((MEASURED_SIDE_PX, MEASURED_SIDE_PX), Image.Resampling.LANCZOS)
    pixels_HWC = np.asarray(small)
    luma_HW = quality.luma(pixels_HWC)
    faces = _faces(analyzer, pixels_HWC) if analyzer is not None else None
    whole = Measured(
        width_px=picture.width,
        height_px=picture.height,
        sharpness=quality.photo_sharpness(luma_HW),
        bright_luma=float(np.percentile(luma_HW, 95)),
        high_luma=float(np.percentile(luma_HW, 25)),
        hash_N=quality.perceptual_hash(luma_HW),
        faces=faces,
        looked_at=small.size,
        unsafe=analyzer.unsafe(pixels_HWC) if analyzer is not None else None,
        years=analyzer.years(pixels_HWC, faces[0]) if analyzer is not None and faces else None,
    )
    return _of_face(whole, luma_HW, faces[0]) if faces else whole


def _faces(analyzer: FaceAnalyzer, pixels_HWC: Pixels) -> tuple[Face, ...]:
    """Where the whole picture shows none, a closer look tells "too far away" from "nobody there"."""
    return tuple(analyzer.faces(pixels_HWC) or far_faces(analyzer, pixels_HWC))


def _of_face(whole: Measured, luma_HW: Floats, face: Face) -> Measured:
    face_HW = quality.cut(luma_HW, face.box)
    return replace(
        whole,
        sharpness=quality.face_sharpness(face_HW),
        bright_luma=float(np.percentile(face_HW, 95)),
        high_luma=float(np.percentile(face_HW, 50)),
        face_width=face_width(face.landmarks),
        eye_brightness=eye_brightness(luma_HW, face),
    )


def judge(
    photos: Sequence[Measured | Finding],
    limits: QualityLimits,
    analyzer: FaceAnalyzer | None = None,
    minors: str = "review",
) -> Inspection:
    """Judges a set. A photo that could not be decoded comes as the finding that says so.

    Args:
        photos: in the order in which they are numbered; of two that are the same the earlier usable one stays.
        limits: from where on they are not usable.
        analyzer: the one that `measure` had, for its threshold.
        minors: what becomes of a set whose person may be a minor, of `content.MINORS`.
    """
    found = [[photo] if isinstance(photo, Finding) else _alone(photo, limits) for photo in photos]
    _find_duplicates(photos, found, limits)
    if analyzer is not None:
        _find_strangers(photos, found, analyzer.same_person_from)
    usable = [photo for photo, mine in zip(photos, found, strict=True) if isinstance(photo, Measured) and not mine]
    minor = find_minor([photo.years for photo in usable if photo.years is not None], limits.min_adult_years)
    findings = _of_set(usable, limits) + (minor if minors == "refuse" else [])
    return Inspection(tuple(map(tuple, found)), tuple(findings), tuple(minor if minors == "review" else []))


def _alone(photo: Measured, limits: QualityLimits) -> list[Finding]:
    """What is wrong with one photo by itself."""
    found = []
    side = min(photo.width_px, photo.height_px)
    if side < limits.min_side_px:
        message = (
            f"the photo is {photo.width_px}x{photo.height_px} pixels, its shorter side needs {limits.min_side_px}; "
            "send the original, not a thumbnail or a screenshot"
        )
        found.append(Finding("TOO_SMALL", message, side, limits.min_side_px))
    what = "face" if photo.faces else "photo"
    sharp_enough = limits.min_face_sharpness if photo.faces else limits.min_photo_sharpness
    if photo.sharpness < sharp_enough:
        message = f"the {what} is blurred; take it again with a steady hand, the focus on the eyes"
        found.append(Finding("BLURRY", message, photo.sharpness, sharp_enough))
    if photo.bright_luma < limits.min_bright_luma:
        message = f"the {what} is too dark; take it again facing a window or a lamp"
        found.append(Finding("TOO_DARK", message, photo.bright_luma, limits.min_bright_luma))
    brightest = limits.max_face_luma if photo.faces else limits.max_photo_luma
    if photo.high_luma > brightest:
        message = f"the {what} is overexposed; take it again without flash and out of hard sunlight"
        found.append(Finding("OVEREXPOSED", message, photo.high_luma, brightest))
    found += find_unsafe(photo.unsafe, limits.max_unsafe)
    return found + (_of_faces(photo, photo.faces, limits) if photo.faces is not None else [])


def _of_faces(photo: Measured, faces: tuple[Face, ...], limits: QualityLimits) -> list[Finding]:
    """What is wrong with the faces that an analyzer found."""
    if not faces:
        message = "no face was found; send a photo in which the whole face can be seen, without mask or sunglasses"
        return [Finding("NO_FACE", message, 0, 1)]
    largest, found = faces[0].height_px, []
    people = sum(face.height_px >= limits.min_second_face * largest for face in faces)
    if people > 1:
        message = (
            f"{people} people are in the photo; cut it to the one person, or send one in which nobody else is near"
        )
        found.append(Finding("MULTIPLE_FACES", message, people, 1))
    width, height = photo.looked_at
    share = largest / min(width, height)
    if share < limits.min_face_share:
        message = (
            f"the face is {share:.0%} of the photo's shorter side, {limits.min_face_share:.0%} are needed; "
            "come closer, or cut the photo to head and shoulders"
        )
        found.append(Finding("FACE_TOO_SMALL", message, share, limits.min_face_share))
    outside = quality.outside_share(faces[0].box, width, height)
    if outside > limits.max_face_outside:
        message = f"{outside:.0%} of the face is outside the photo; send one with the whole face in it"
        found.append(Finding("FACE_CUT_OFF", message, outside, limits.max_face_outside))
    return found + find_hidden(photo.face_width, photo.eye_brightness, limits)


def _find_duplicates(
    photos: Sequence[Measured | Finding], found: Sequence[list[Finding]], limits: QualityLimits
) -> None:
    """Compares each with the usable ones before it: of a bad photo and a good one of the same, the good one stays."""
    kept: list[tuple[int, Measured]] = []
    for number, (photo, mine) in enumerate(zip(photos, found, strict=True)):
        if not isinstance(photo, Measured):
            continue
        distances = [(quality.hash_distance(photo.hash_N, other.hash_N), original) for original, other in kept]
        nearest, original = min(distances, default=(1.0, -1))
        if nearest <= limits.max_duplicate_distance:
            message = f"it shows the same as photos[{original}]; leave it out, and send one from another moment"
            mine.append(Finding("DUPLICATE", message, nearest, limits.max_duplicate_distance, duplicate_of=original))
        elif not mine:
            kept.append((number, photo))


def _find_strangers(
    photos: Sequence[Measured | Finding], found: Sequence[list[Finding]], same_person_from: float
) -> None:
    """Takes out the face that is least like the mean of the others, until all are like it.

    One by one: two strangers at once would pull the mean towards themselves.
    """
    crowd = {
        number: photo.faces[0].embedding
        for number, photo in enumerate(photos)
        if isinstance(photo, Measured) and photo.faces and not found[number]
    }
    while len(crowd) >= _MIN_CROWD:
        alike = {number: mean_likeness(crowd[number], _without(crowd, number)) for number in crowd}
        number = min(alike, key=lambda each: (alike[each], -each))
        if alike[number] >= same_person_from:
            return
        message = "this seems to be somebody else than in most of the photos; send photos of one person only"
        found[number].append(Finding("DIFFERENT_PERSON", message, alike[number], same_person_from))
        del crowd[number]


def _without(crowd: dict[int, Floats], number: int) -> list[Floats]:
    return [embedding for other, embedding in crowd.items() if other != number]


def mean_likeness(embedding: Floats, others: Sequence[Floats]) -> float:
    """Cosine of a unit embedding and the mean of others, -1 to 1; at least one other."""
    mean = np.mean(np.stack(others), axis=0)
    return float(embedding @ mean / max(float(np.linalg.norm(mean)), 1e-12))


def _of_set(usable: Sequence[Measured], limits: QualityLimits) -> list[Finding]:
    """What is wrong with the usable photos together."""
    found, count = [], len(usable)
    if count < limits.min_photos:
        usable_ones = "1 photo is" if count == 1 else f"{count} photos are"
        message = f"{usable_ones} usable, a training needs {limits.min_photos}; send {limits.min_photos - count} more"
        found.append(Finding("TOO_FEW", message, count, limits.min_photos))
    spread = quality.hash_spread([photo.hash_N for photo in usable])
    poses = [quality.pose(photo.faces[0].landmarks) for photo in usable if photo.faces]
    turned = quality.pose_spread(poses) >= limits.min_pose_spread
    if count > 1 and spread < limits.min_hash_spread and not turned:
        message = "the photos are too much alike; add some from other days, with other clothes, places and angles"
        found.append(Finding("LOW_VARIETY", message, spread, limits.min_hash_spread))
    return found
