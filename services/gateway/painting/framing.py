"""Holds images of a look to its frame: by what the generator told, and by what is seen in the image itself."""

from __future__ import annotations

from collections.abc import Iterator

from headshots.acceptance.checks import at_most
from headshots.acceptance.verdict import Check
from headshots.looks.cropping import TOLERANCE, WORDS, Missed
from headshots.looks.frame import Frame
from headshots.looks.measures import Measures
from services.gateway.galleries.remix import Remix


def frame_checks(frame: Frame, missed: str, measures: Measures | None) -> Iterator[Check]:
    """What to hold an image to; `missed`: why it is not cut, as the generator told; empty: it is.

    Where nothing was measured, only what the generator told counts.
    """
    if missed:
        yield Check("FRAME_MISSED", False, 1.0, 0.0, f"It was not cut to the look's frame: {_words(missed)}.")
    elif measures is not None:
        yield _near("EYE_LINE_OFF", "The eyes are", measures.eye_line, frame.eye_line)
        yield _near("HEAD_HEIGHT_OFF", "The head's height is", measures.head_height, frame.head_height)


def missed_size(frame: Frame, width_px: int, height_px: int) -> str:
    """Why an image is not cut to a frame though the generator tells no reason; empty: it has the frame's size.

    A generator that knows nothing of sources that stay whole answers in its own size.
    """
    if (width_px, height_px) == (frame.width_px, frame.height_px):
        return ""
    return f"it is {width_px}x{height_px} px, not {frame.width_px}x{frame.height_px}"


def keeps_head(remix: Remix | None) -> bool:
    """Whether the head has the pixels of an image that was held to the frame before.

    An analyzer sees the same head 1 to 3 % larger or smaller before another backdrop, which says nothing of the cut.
    """
    return remix is not None and remix.change is not None and remix.change.is_masked


def _near(reason: str, what: str, found: float, wanted: float) -> Check:
    apart = abs(found - wanted)
    words = f"{what} {apart:.1%} of the picture's height from the look's frame; {TOLERANCE:.0%} is allowed."
    return at_most(reason, apart, TOLERANCE, words)


def _words(missed: str) -> str:
    # A newer generator may know more of them.
    return WORDS[Missed(missed)] if missed in set(Missed) else missed
