"""Which photos of a training are held out."""

from __future__ import annotations

import numpy as np
import pytest

from headshots.faces import Face
from services.trainer.selection.holding_out import hold_out


def _found(*counts: int) -> list[list[Face]]:
    face = Face((0, 0, 1, 1), np.zeros((5, 2), np.float32), np.ones(1, np.float32), 1.0)
    return [[face] * count for count in counts]


@pytest.mark.parametrize(
    ("photos", "held_out"), [(4, 0), (5, 1), (6, 1), (9, 1), (10, 2), (20, 2)], ids=lambda value: str(value)
)
def test_at_least_four_photos_are_trained_on_and_at_most_one_in_five_is_held_out(photos: int, held_out: int) -> None:
    digests = [f"{number:064x}" for number in range(photos)]
    assert len(hold_out(_found(*[1] * photos), digests, 2)) == held_out


def test_who_is_held_out_depends_on_the_photos_alone() -> None:
    digests = [f"{number * 7919 % 10:064x}" for number in range(10)]
    chosen = {digests[place] for place in hold_out(_found(*[1] * 10), digests, 2)}
    turned = digests[::-1]
    assert {turned[place] for place in hold_out(_found(*[1] * 10), turned, 2)} == chosen


def test_only_photos_with_one_face_are_held_out() -> None:
    digests = [f"{number:064x}" for number in range(6)]
    assert hold_out(_found(0, 2, 1, 1, 1, 1), digests, 2) == [2]
    assert hold_out(_found(0, 0, 0, 0, 0, 0), digests, 2) == []
    assert hold_out(_found(1, 0, 0, 0, 0, 0), digests, 2) == [], "nothing would be left to measure copying against"
    assert hold_out(_found(1, 1, 1, 1, 1, 1), digests, 0) == []
