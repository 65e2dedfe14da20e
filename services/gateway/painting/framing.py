"""Holds images of a look to its frame: by what the generator told, and by what is seen in the image itself."""

from __future__ import annotations

from collections.abc import Iterator

from headshots.acceptance.checks import at_most
from headshots.acceptance.verdict import Check
from headshots.looks.cropping import TOLERANCE, WORDS, Missed
from headshots.looks.frame import Frame
from headshots.looks.measures import Measures


def frame_checks(frame: Frame, missed: str, measures: Measures | None) -> Iterator[Check]:
    """What to hold an image to; `missed`: why it is not cut, as the generator told; empty: it is.

    Where nothing was measured, only what the generator told counts.
    """
    if missed:
        yield Check("FRAME_MISSED", False, 1.0, 0.0, f"It was not cut to the look's frame: {_words(missed)}.")
    elif measures is not None:
        yield _near("EYE_LINE_OFF", "The eyes are", measures.eye_line, frame.eye_line)
        yield _near("HEAD_HEIGHT_OFF", "The head's height is", measures.head_height, frame.head_height)


def _near(reason: str, what: str, found: float, wanted: float) -> Check:
    apart = abs(found - wanted)
    words = f"{what} {apart:.1%} of the picture's height from the look's frame; {TOLERANCE:.0%} is allowed."
    return at_most(reason, apart, TOLERANCE, words)


def _words(missed: str) -> str:
    # A newer generator may know more of them.
    return WORDS[Missed(missed)] if missed in set(Missed) else missed
