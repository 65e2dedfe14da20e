"""Says in words what checks and likenesses are told in reasons and numbers."""

from __future__ import annotations

from collections.abc import Sequence

from headshots.pages.models import Likeness, Portrait

TITLES = {
    "NOT_ALIKE": "Not alike enough",
    "LIKENESS_LOST": "Less alike than before",
    "NO_FACE": "No face",
    "MULTIPLE_FACES": "More than one face",
    "FACE_TOO_SMALL": "Face too small",
    "FACE_CUT_OFF": "Face cut off",
    "FACE_OFF_CENTRE": "Face off centre",
    "FACE_IRREGULAR": "Face out of shape",
    "EYES_CLOSED": "Eyes closed",
    "LIGHT_UNEVEN": "Light uneven",
    "COLOUR_UNNATURAL": "Skin colour unnatural",
    "BLURRY": "Blurry",
    "SKIN_UNNATURAL": "Skin too smooth",
    "NEAR_DUPLICATE": "Same as another",
    "UNSAFE": "Shows nudity",
    "FRAME_MISSED": "Not cut to the frame",
    "EYE_LINE_OFF": "Eyes off their line",
    "HEAD_HEIGHT_OFF": "Head of another size",
    "NOT_MEASURED": "Could not be judged",
}
"""By the reason of a check that did not pass."""


def title_of(reason: str) -> str:
    """Two or three words for a check's reason; of one that is newer than this table, its own words."""
    return TITLES.get(reason) or reason.replace("_", " ").capitalize()


def likeness_scale(portraits: Sequence[Portrait]) -> str:
    """What a likeness is, and which values are good; empty where none was measured."""
    measured = [each.likeness for each in portraits if each.likeness is not None]
    if not measured:
        return ""
    said = (
        "Likeness compares a face with the mean of the person's photos, as the face analyzer sees it: 1.00 is the same."
    )
    # All were measured on one scale, but for what rounding makes of it.
    told = sorted((each for each in measured if each.needed is not None), key=lambda each: each.needed or 0.0)
    if not told:
        return said
    middle = told[len(told) // 2]
    return f"{said} {_limits(middle)}"


def _limits(scale: Likeness) -> str:
    own = f"The photos themselves reach {scale.own:.2f} or more; below" if scale.own is not None else "Below"
    return f"{own} {scale.needed:.2f} a portrait counts as somebody else."


RANKS = (
    "Rank 1 is the best: ranks weigh likeness and how well the face is shown, and put a new style before a second "
    "portrait of the same. So likeness may rise further down."
)
"""Why ranks do not follow likeness."""


def seconds_in_words(seconds: float) -> str:
    """`0.42 s`, `12.3 s`, `4 min 12 s`."""
    if seconds < 1:
        return f"{seconds:.2f} s"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


def bytes_in_words(size: int) -> str:
    """`512 B`, `42 kB`, `1.5 MB`; empty for 0, which is not known."""
    if not size:
        return ""
    if size < 1000:
        return f"{size} B"
    return f"{size / 1000:.0f} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"
