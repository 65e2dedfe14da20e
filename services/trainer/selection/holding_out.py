"""Chooses the photos of a training that are held out, so that checkpoints are judged by photos not learned from."""

from __future__ import annotations

from collections.abc import Sequence

from headshots.faces import Face


def hold_out(faces: Sequence[Sequence[Face]], digests: Sequence[str], most: int) -> list[int]:
    """Indices of the photos to hold out: at most ``most``, at most one in five, and at least four are trained on.

    Only photos with exactly one face can be held out. The choice among them is by digest, so that it depends neither on
    the order of the photos nor on their names.
    """
    count = min(most, max(len(digests) // 5, 1), len(digests) - 4)
    able = sorted((digests[index], index) for index, found in enumerate(faces) if len(found) == 1)
    # A photo with one face has to stay in training, to measure copying against.
    if count < 1 or len(able) <= count:
        return []
    return sorted(index for _, index in able[:count])
