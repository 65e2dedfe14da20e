"""How many rows an image costs at each step, and how many it keeps from others."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from obstore.store import MemoryStore
from prometheus_client import CollectorRegistry

from headshots.artifacts import ArtifactStore
from services.generator.adapters.tiers import AdapterRef
from services.generator.batching.batch import Batch
from services.generator.batching.denoising import ImageState, advance
from services.generator.metrics import Metrics
from services.generator.requests.plan import Plan, make_plan
from services.generator.requests.preparing import Preparer
from services.generator.requests.request import GenerationRequest
from services.generator.requests.source_images import SourceReader
from tests.support.generator.arithmetic import ArithmeticBackend, package

# Four steps of DDIM, at 751, 501, 251 and 1 of 0 to 999.
MIDDLE = (0.2, 0.6)


def planned(**request: Any) -> Plan:
    return make_plan(GenerationRequest(tenant="a", prompt="someone", steps=4, **request), package())


def image(plan: Plan) -> ImageState:
    no_adapters: Any = None
    reader = SourceReader(ArtifactStore(MemoryStore()))
    preparer = Preparer(package(), ArithmeticBackend(), no_adapters, reader, Metrics(CollectorRegistry()))
    inputs = asyncio.run(preparer.prepare(plan)).inputs
    return ImageState(inputs, 0, plan.noise_CHW(0), plan.drawing_seed(0))


def calls(images: Sequence[ImageState]) -> list[int]:
    """Rows of each UNet call until all are done."""
    backend = ArithmeticBackend()
    while not images[0].done:
        advance(backend, images)
    return backend.calls


@pytest.mark.parametrize(
    ("request_", "rows", "row_steps", "of_two"),
    [
        ({"guidance_scale": 1.0}, 1, 4, [2, 2, 2, 2]),
        ({"guidance_scale": 0.0}, 1, 4, [2, 2, 2, 2]),
        ({"guidance_scale": 3.0}, 2, 8, [4, 4, 4, 4]),
        ({"guidance_scale": 3.0, "guidance_interval": MIDDLE}, 2, 6, [2, 4, 4, 2]),
        ({"guidance_scale": 3.0, "guidance_interval": (0.9, 1.0)}, 1, 4, [2, 2, 2, 2]),
        ({"guidance_scale": 1.0, "guidance_interval": MIDDLE}, 1, 4, [2, 2, 2, 2]),
    ],
    ids=str,
)
def test_guidance_costs_a_row_at_the_steps_that_have_it(
    request_: dict[str, Any], rows: int, row_steps: int, of_two: list[int]
) -> None:
    plan = planned(**request_)
    assert (plan.rows, plan.row_steps) == (rows, row_steps)
    assert calls([image(plan), image(plan)]) == of_two


@pytest.mark.parametrize(
    ("asked", "default", "strengths", "guidance"),
    [
        ({}, 1.0, (1.0, 0.5), 2.0),
        ({}, 0.75, (0.75, 0.375), 2.0),
        ({"adapter_strength": 0.5}, 0.75, (0.5, 0.25), 2.0),
        ({"adapter_strength": 1.0, "negative_adapter_share": 1.0}, 0.75, (1.0, 1.0), 2.0),
        ({"adapter_strength": 0.0}, 0.75, (0.0, 0.0), 3.0),
        ({}, 0.0, (0.0, 0.0), 3.0),
    ],
    ids=str,
)
def test_adapters_show_as_the_foundation_says_unless_the_request_does(
    asked: dict[str, Any], default: float, strengths: tuple[float, float], guidance: float
) -> None:
    made = replace(package(), adapter_strength=default, negative_adapter_share=0.5, guidance_scale=3.0)
    adapter = AdapterRef("a" * 64, "adapters/a", made.foundation_digest)
    plan = make_plan(GenerationRequest(tenant="a", prompt="someone", adapter=adapter, **asked), made)
    assert (plan.strength, plan.negative_strength) == strengths
    assert plan.guidance == guidance, "an adapter that does not show is the bare foundation"


def test_an_image_keeps_the_rows_that_it_needs_later_and_no_more() -> None:
    """Nobody takes the second row before the interval; behind it, it is free."""
    batch, backend = Batch(), ArithmeticBackend()
    one = image(planned(guidance_scale=3.0, guidance_interval=MIDDLE))
    job: Any = type("Job", (), {"in_batch": {}})()
    batch.add(one, job, 0)
    left = []
    while not one.done:
        left.append((batch.rows, batch.row_steps))
        advance(backend, [one])
    assert left == [(2, 6), (2, 5), (2, 3), (1, 1)]


def test_guidance_of_one_is_what_the_prompt_alone_predicts() -> None:
    """At the steps outside of the interval, as of a request without guidance."""
    plans = [
        planned(guidance_scale=5.0, guidance_interval=(0.7, 1.0)),
        planned(guidance_scale=5.0),
        planned(guidance_scale=1.0),
    ]
    within, throughout, never = (image(plan) for plan in plans)
    backend = ArithmeticBackend()
    advance(backend, [within, throughout, never])
    assert np.array_equal(within.latents_CHW, throughout.latents_CHW)
    assert not np.array_equal(within.latents_CHW, never.latents_CHW)
    never.latents_CHW = within.latents_CHW
    never.clean_CHW = within.clean_CHW
    for _ in range(3):
        advance(backend, [within, never])
    assert np.array_equal(within.latents_CHW, never.latents_CHW)


@pytest.mark.parametrize("sampler", ["euler_ancestral", "dpmpp_2m_sde", "lcm", "tcd"])
def test_noise_drawn_is_the_images_own_whoever_shares_the_batch(sampler: str) -> None:
    alone, shared, other = (image(planned(seed=seed, sampler=sampler)) for seed in (4, 4, 5))
    backend = ArithmeticBackend()
    advance(backend, [other])
    while not alone.done:
        advance(backend, [alone])
        advance(backend, [other, shared] if not other.done else [shared])
    assert np.array_equal(alone.latents_CHW, shared.latents_CHW)
    fresh = image(planned(seed=5, sampler=sampler))
    while not fresh.done:
        advance(backend, [fresh])
    assert np.array_equal(fresh.latents_CHW, other.latents_CHW)
