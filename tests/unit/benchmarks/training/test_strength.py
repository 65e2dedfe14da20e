"""Portraits that are measured show adapters as strongly as the product does, and a run knows how strongly that was."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from benchmarks.training.engine import EnginePainter, Guidance
from benchmarks.training.plan import Plan
from headshots.settings import default_foundation
from tests.support.generator.arithmetic import package


def test_portraits_are_painted_by_the_packages_own_guidance_and_strength() -> None:
    made = dataclasses.replace(
        package(), guidance_scale=3.0, adapter_guidance_scale=2.0, negative_adapter_share=0.5, adapter_strength=0.75
    )
    painter = object.__new__(EnginePainter)
    painter._package = made
    assert painter.guidance(with_adapter=True) == Guidance(2.0, 0.5, 0.75)
    assert painter.guidance(with_adapter=False) == Guidance(3.0)


@pytest.mark.parametrize(
    ("name", "value"), [("adapter_strength", 0.9), ("negative_adapter_share", 0.9), ("adapter_guidance_scale", 9.0)]
)
def test_figures_by_another_guidance_or_strength_do_not_count(tmp_path: Path, name: str, value: float) -> None:
    plan, other = Plan(default_foundation(), tmp_path), Plan(default_foundation(), tmp_path)
    other.__dict__["described"] = dataclasses.replace(plan.described, **{name: value})
    assert plan.key == Plan(default_foundation(), tmp_path).key
    assert other.key != plan.key
