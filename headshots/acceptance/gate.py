"""Judges portraits of one person by the person's own photos and an acceptance profile.

Checks of the face's detail (eyes, light, colour, sharpness, skin) compare with the photos at a common size, see
`close_up`. A face that is too small for that, of the portrait or of most photos, leaves those checks unmeasured, and
the portrait is not accepted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from headshots.acceptance.checks import at_least, at_most, unmeasured
from headshots.acceptance.close_up import SPANS, CloseUp, close_up
from headshots.acceptance.limits import AcceptanceLimits
from headshots.acceptance.profiles import Profile
from headshots.acceptance.reference import Reference
from headshots.acceptance.verdict import Acceptance, Check, Verdict
from headshots.acceptance.view import View
from headshots.faces.base import Face, FaceAnalyzer, Pixels
from headshots.imaging import quality

MIN_SECOND_FACE = 0.25
"""Height of another face over the largest one's, from which the picture shows two people."""
MAX_IRREGULARITY = 1.25
"""How unusually the parts of a face may stand to each other, see `FaceAnalyzer.irregularity`: true faces have 1 at the
most, but for one in a hundred; one eye a fifth of the eyes' distance higher has 1.9 at the least."""
MAX_IRREGULARITY_OVER_OWN = 1.5
"""Allowed over the person's own photos, where that is more: odd true faces are mostly those of a few people."""
MAX_LIKENESS_LOST = 0.02
"""What a change of one thing may cost of a portrait's likeness."""
# `CloseUp.skin_texture` that a camera's noise alone makes, as seen on drawn selfies: less is no texture of the skin,
# and who has none in the photos needs none.
_NOISE = 0.03
# Photos with less do not show the eyes, as behind sunglasses (drawn people have 0.23 and more), or nothing sharp at
# all: there is nothing to compare with.
_LEAST_EYE_CONTRAST, _LEAST_SHARPNESS = 0.05, 0.01
_DETAILS = ("EYES_CLOSED", "LIGHT_UNEVEN", "COLOUR_UNNATURAL", "BLURRY", "SKIN_UNNATURAL")


@dataclass(frozen=True, slots=True)
class Judged:
    """A portrait, judged by itself: near-duplicates are `against_accepted`'s."""

    verdict: Verdict
    likeness: float | None
    """Cosine to the mean of the person's photos, -1 to 1; None: there was no face."""
    quality: float
    """0 to 1: how far within their limits the measures of the face's detail are, on average; 0 where they are none."""
    view: View


class Gate:
    """Judges portraits of one person. May be called from several threads, as analyzers may."""

    def __init__(
        self, analyzer: FaceAnalyzer, reference: Reference, profile: Profile, *, crown_is_cut: bool = False
    ) -> None:
        """`reference`: by the same analyzer; `crown_is_cut`: a frame that was asked for puts the crown beyond the upper
        edge, so that what is cut there does not count as FACE_CUT_OFF."""
        self._analyzer = analyzer
        self._reference = reference
        self._profile = profile
        self._crown_is_cut = crown_is_cut

    @property
    def max_irregularity(self) -> float:
        """How irregular a portrait of this person may be: some true faces are more so than 99 of 100."""
        return max(MAX_IRREGULARITY, MAX_IRREGULARITY_OVER_OWN * (self._reference.irregularity or 0.0))

    def judge(self, picture_HWC: Pixels) -> Judged:
        """Every check, not only the first that fails; a second or less for a picture of some megapixels."""
        faces = self._analyzer.faces(picture_HWC)
        if not faces:
            found = [Check("NO_FACE", False, 0.0, 1.0, "No face was found.")]
            return Judged(self._verdict(found), None, 0.0, View.of(picture_HWC, None))
        face, limits = faces[0], self._profile.limits
        likeness = self._reference.likeness(face.embedding)
        details = list(self._details(picture_HWC, face))
        placed = [*_place(face, picture_HWC, limits, self._crown_is_cut), *self._regular(picture_HWC, face)]
        found = [_alone(faces), self._alike(likeness), *placed, *details]
        return Judged(self._verdict(found), likeness, _quality(details), View.of(picture_HWC, face.box))

    def _verdict(self, checks: Sequence[Check]) -> Verdict:
        return Verdict.of(self._profile.name, self._profile.version, self._analyzer.name, checks)

    def _alike(self, likeness: float) -> Check:
        spread = self._reference.spread
        # Wherever the profile's limit lies, two people are never alike.
        limit = min(self._profile.limits.max_likeness_spreads, (1 - self._analyzer.same_person_from) / spread)
        spreads = (1 - likeness) / spread
        words = f"The face is {spreads:.2f} spreads of the person's own photos from them (likeness {likeness:.3f})"
        return at_most("NOT_ALIKE", spreads, limit, f"{words}; {limit:.2f} are allowed.")

    def _regular(self, picture_HWC: Pixels, face: Face) -> Iterator[Check]:
        """Left out where the analyzer cannot tell it of anybody."""
        irregularity = self._analyzer.irregularity(picture_HWC, face)
        if irregularity is not None:
            own, limit = self._reference.irregularity or 0.0, self.max_irregularity
            words = f"Eyes, brows, nose and mouth are {irregularity:.2f} times as far out of place as in 99 of 100 true"
            message = f"{words} faces, and {own:.2f} times in the person's own photos; {limit:.2f} are allowed."
            yield at_most("FACE_IRREGULAR", irregularity, limit, message)

    def _details(self, picture_HWC: Pixels, face: Face) -> Iterator[Check]:
        span = self._reference.common_span(face)
        if span is None:
            why = f"The face is too small to be compared with the photos: less than {SPANS[0]} pixels between the eyes"
            yield from (unmeasured(reason, f"{why}, in the portrait or in most photos.") for reason in _DETAILS)
            return
        yield from self._compared(close_up(picture_HWC, face, span), span)

    def _compared(self, found: CloseUp, span: int) -> Iterator[Check]:
        """Eyes, light, colour, sharpness and skin."""
        limits, photos = self._profile.limits, self._reference.typical(span)
        if photos.eye_contrast < _LEAST_EYE_CONTRAST:
            yield unmeasured("EYES_CLOSED", "Most of the photos do not show the eyes, so open ones cannot be told.")
        else:
            eyes = found.eye_contrast / photos.eye_contrast
            words = f"An eye has {eyes:.0%} of its contrast in the photos; {limits.min_eye_contrast:.0%} are needed."
            yield at_least("EYES_CLOSED", eyes, limits.min_eye_contrast, words)
        light = max(found.light_imbalance - photos.light_imbalance, 0.0)
        words = f"The cheeks' brightness differs by {light:.2f} more than in the photos; "
        yield at_most(
            "LIGHT_UNEVEN", light, limits.max_light_imbalance, f"{words}{limits.max_light_imbalance:.2f} are allowed."
        )
        colour = self._reference.colour_distance(found, span)
        words = f"The skin's colour is {colour:.1f} from that of the nearest photo (a lack of red counts most); "
        yield at_most(
            "COLOUR_UNNATURAL",
            colour,
            limits.max_colour_distance,
            f"{words}{limits.max_colour_distance:.1f} are allowed.",
        )
        if photos.sharpness < _LEAST_SHARPNESS:
            yield unmeasured("BLURRY", "Most of the photos are too blurred themselves to compare with.")
        else:
            sharp = found.sharpness / photos.sharpness
            words = f"The face has {sharp:.0%} of the photos' sharpness; {limits.min_sharpness:.0%} are needed."
            yield at_least("BLURRY", sharp, limits.min_sharpness, words)
        texture = max(found.skin_texture, _NOISE) / max(photos.skin_texture, _NOISE)
        words = f"The skin has {texture:.0%} of the photos' texture; {limits.min_skin_texture:.0%} are needed."
        yield at_least("SKIN_UNNATURAL", texture, limits.min_skin_texture, words)


def against_accepted(judged: Verdict, view: View, accepted_before: Sequence[View], limits: AcceptanceLimits) -> Verdict:
    """The verdict with the check on near-duplicates, which comes last.

    Args:
        judged: of the portrait by itself.
        view: the portrait's.
        accepted_before: views of the images of the gallery that were accepted before it.
        limits: of the profile that judged.
    """
    nearest = min((view.hash_difference(other) for other in accepted_before), default=1.0)
    words = f"It differs in {nearest:.0%} from the most similar image that was accepted before"
    check = at_least(
        "NEAR_DUPLICATE", nearest, limits.min_difference, f"{words}; {limits.min_difference:.0%} are needed."
    )
    if not accepted_before:
        check = replace(check, message="No image was accepted before it.")
    return Verdict.of(judged.profile, judged.profile_version, judged.analyzer, (*judged.checks, check))


def against_source(judged: Verdict, likeness: float | None, source_likeness: float | None) -> Verdict:
    """The verdict on a portrait that was to keep its person while one thing of it changed, with the check on that.

    Args:
        judged: of the portrait by itself.
        likeness: the portrait's; None: it has no face, which the verdict says already.
        source_likeness: of what it was made from; None: nobody measured it, so the check is left out.
    """
    if likeness is None or source_likeness is None:
        return judged
    lost = source_likeness - likeness
    words = f"It has {lost:.3f} less likeness than the image that it changes; {MAX_LIKENESS_LOST:.3f} are allowed."
    check = at_most("LIKENESS_LOST", lost, MAX_LIKENESS_LOST, words)
    return Verdict.of(judged.profile, judged.profile_version, judged.analyzer, (*judged.checks, check))


def not_measured(profile: Profile, analyzer_name: str, why: str) -> Verdict:
    """The verdict where nothing can be judged, as without an analyzer; `why`: one sentence for a person."""
    return Verdict(
        Acceptance.NOT_MEASURED, profile.name, profile.version, analyzer_name, (unmeasured("NOT_MEASURED", why),)
    )


def _alone(faces: Sequence[Face]) -> Check:
    people = sum(face.height_px >= MIN_SECOND_FACE * faces[0].height_px for face in faces)
    return at_most(
        "MULTIPLE_FACES", float(people), 1.0, f"{people} {'face was' if people == 1 else 'faces were'} found."
    )


def _place(face: Face, picture_HWC: Pixels, limits: AcceptanceLimits, crown_is_cut: bool) -> Iterator[Check]:
    height, width = picture_HWC.shape[:2]
    share = face.height_px / min(height, width)
    words = f"The face's height is {share:.0%} of the picture's shorter side"
    yield at_least("FACE_TOO_SMALL", share, limits.min_face_share, f"{words}; {limits.min_face_share:.0%} are needed.")
    left, top, right, bottom = face.box
    outside = quality.outside_share((left, max(top, 0.0) if crown_is_cut else top, right, bottom), width, height)
    words = f"{outside:.0%} of the face is beyond the picture's edges"
    yield at_most(
        "FACE_CUT_OFF", outside, limits.max_face_outside, f"{words}; {limits.max_face_outside:.0%} are allowed."
    )
    offset = abs((face.box[0] + face.box[2]) / 2 / width - 0.5)
    words = f"The face's middle is {offset:.0%} of the picture's width from the middle line"
    yield at_most(
        "FACE_OFF_CENTRE", offset, limits.max_face_offset, f"{words}; {limits.max_face_offset:.0%} are allowed."
    )


def _quality(details: Sequence[Check]) -> float:
    return float(np.mean([_margin(check) for check in details]))


def _margin(check: Check) -> float:
    """0 at the limit or beyond, 1 where the portrait is as good as the photos or better."""
    if check.measured is None or check.limit is None:
        return 0.0
    best = 0.0 if check.reason in ("LIGHT_UNEVEN", "COLOUR_UNNATURAL") else 1.0
    if check.limit == best:
        return float(check.passed)
    return min(max((check.measured - check.limit) / (best - check.limit), 0.0), 1.0)
