"""Judges whom and what photos show, beyond whether a training can learn from them. Only where an analyzer can tell."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from headshots.imaging.findings import Finding

MINORS = ("refuse", "review", "ignore")
"""What an operator may want where a person may be a minor: the photos are not ready for a training, somebody should
look, or nothing is said."""


def find_unsafe(unsafe: float | None, limit: float) -> list[Finding]:
    """The finding of a photo that seems to show nudity.

    Args:
        unsafe: how sure the analyzer is of that, 0..1; None: it cannot tell.
        limit: from where on it counts.
    """
    if unsafe is None or unsafe < limit:
        return []
    message = "the photo seems to show nudity; send one in clothes that everybody may see"
    return [Finding("UNSAFE", message, unsafe, limit)]


def find_minor(years: Sequence[float], limit: float) -> list[Finding]:
    """The finding of a set of photos whose person may be a minor.

    The median counts: one photo from below, or in odd light, makes an adult a child.

    Args:
        years: how old the person looks in each photo that tells it.
        limit: who looks younger may be a minor.
    """
    if not years or median(years) >= limit:
        return []
    message = "the person may be a minor; have somebody check their age, which no photo proves, before they are trained"
    return [Finding("POSSIBLY_MINOR", message, median(years), limit)]
