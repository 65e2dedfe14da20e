"""Who the portraits are compared with, and what teaches the nets of naturalness."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.faces import breaking
from benchmarks.training import painting, people
from benchmarks.training.engine import Guidance
from benchmarks.training.plan import Plan
from benchmarks.training.reference import VERSIONS, broken_pictures
from foundry.portraits import LOOKS, PROPORTIONS, face_points, render_portrait, sample_identity, sample_scene
from headshots.settings import default_foundation


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return Plan(foundation=default_foundation(), out=tmp_path, teaching=6)


def test_each_render_is_broken_in_its_place_and_each_time_otherwise() -> None:
    portraits = []
    for number in range(3):
        identity, scene = sample_identity(1_700_030 + number), sample_scene(np.random.default_rng(number))
        portraits.append((render_portrait(identity, scene, 128), face_points(identity, scene, 128)))
    ways, pictures = broken_pictures(portraits)
    assert len(pictures) == len(ways) == VERSIONS * len(portraits)
    assert set(ways) == set(range(len(breaking.WAYS)))
    for number, picture in enumerate(pictures):
        # Most of it is the render of its place, and of no other.
        same = [float((picture == portrait.pixels).mean()) for portrait, _ in portraits]
        assert np.argmax(same) == number % len(portraits)
        assert 0.5 < max(same) < 1


def test_doubles_share_the_looks_and_none_of_the_proportions() -> None:
    person, doubles = people.PUBLISHED.identity(1), people.PUBLISHED.doubles(1)
    assert len({double.seed for double in doubles}) == 5
    for double in doubles:
        assert all(getattr(double, name) == getattr(person, name) for name in LOOKS)
        assert sum(getattr(double, name) == getattr(person, name) for name in PROPORTIONS) <= 1


class Painter:
    """Notes how it was asked, and paints the seed."""

    def __init__(self) -> None:
        self.asked: list[tuple[list[tuple[str, int]], Guidance]] = []

    def guidance(self, with_adapter: bool) -> Guidance:
        return Guidance(2.5, 0.4) if with_adapter else Guidance(1.5)

    def paint(self, adapter: Any, orders: list[tuple[str, int]], guidance: Guidance) -> list[people.Pixels]:
        self.asked.append((orders, guidance))
        return [np.full((16, 16, 3), seed % 251, np.uint8) for _, seed in orders]


def test_what_teaches_is_painted_under_other_guidance_of_other_seeds(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    painter = Painter()
    monkeypatch.setattr(painting, "_painter", lambda _plan: painter)
    pictures = painting.otherwise_painted(plan, 0, b"adapter")
    assert len(pictures) == plan.teaching
    assert len(painter.asked) == len(painting.OTHER_GUIDANCE)
    for orders, guidance in painter.asked:
        assert guidance.scale != painter.guidance(True).scale
        assert not {seed for _, seed in orders} & {*people.PUBLISHED.seeds, *people.TUNING.seeds}
    first = {seed for orders, _ in painter.asked for _, seed in orders}
    assert len(first) == plan.teaching
    painter.asked.clear()
    painting.otherwise_painted(plan, 1, b"adapter")
    assert not first & {seed for orders, _ in painter.asked for _, seed in orders}
