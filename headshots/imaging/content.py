"""Judges what photos show, beyond whether a training can learn from them. Only where an analyzer can tell."""

from __future__ import annotations

from headshots.imaging.findings import Finding


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
