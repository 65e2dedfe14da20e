"""Requests and adapters that the generator must refuse, through real gRPC."""

from __future__ import annotations

from typing import Any

import pytest
from safetensors.torch import load, save

from headshots.errors import InvalidAdapterError, InvalidArgumentError
from tests.support.foundations.engines import lora_bytes, peft_unet, tiny_digest, with_metadata
from tests.support.generator.world import Generator, refused


@pytest.mark.parametrize(
    ("request_fields", "reason"),
    [
        ({"width_px": 40}, "SIZE_INVALID"),
        ({"height_px": 4096}, "SIZE_INVALID"),
    ],
)
async def test_requests_beyond_the_engine_are_refused(
    generator: Generator, request_fields: dict[str, Any], reason: str
) -> None:
    error = await refused(generator, **request_fields)
    assert (type(error), error.reason) == (InvalidArgumentError, reason)


@pytest.mark.parametrize(
    "request_fields",
    [
        {"tenant": "Not Valid"},
        {"prompt": ""},
        {"steps": 151},
        {"seed": -1},
        {"image_count": 5},
        {"sampler": 77},
        {"negative_adapter_share": 1.5},
    ],
    ids=str,
)
async def test_constraints_of_the_contract_hold(generator: Generator, request_fields: dict[str, Any]) -> None:
    error = await refused(generator, **request_fields)
    assert isinstance(error, InvalidArgumentError)
    assert next(iter(request_fields)) in {violation.field for violation in error.violations}


def _garbage() -> bytes:
    return b"\x80\x04pickle of something"


def _foreign() -> bytes:
    return with_metadata(lora_bytes(peft_unet(2, 2.0, seed=3)), {"foundation_digest": "ab" * 32})


def _too_high() -> bytes:
    return lora_bytes(peft_unet(16, 2.0, seed=3))


def _not_finite() -> bytes:
    unet = peft_unet(2, 2.0, seed=3)
    parameter = next(p for name, p in unet.named_parameters() if "lora_B" in name)
    parameter.data[0, 0] = float("nan")
    return lora_bytes(unet)


def _unknown_layers() -> bytes:
    tensors = load(lora_bytes(peft_unet(2, 2.0, seed=3)))
    return save({key.replace("attn1", "attn9"): value for key, value in tensors.items()})


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_garbage, "ADAPTER_CORRUPT"),
        (_foreign, "ADAPTER_FOREIGN_FOUNDATION"),
        (_too_high, "ADAPTER_RANK_TOO_HIGH"),
        (_not_finite, "ADAPTER_NOT_FINITE"),
        (_unknown_layers, "ADAPTER_UNKNOWN_LAYERS"),
    ],
)
async def test_bad_adapters_are_refused_and_leave_nothing_behind(generator: Generator, make: Any, reason: str) -> None:
    adapter = await generator.add(make())
    error = await refused(generator, adapter=adapter)
    assert (type(error), error.reason) == (InvalidAdapterError, reason)
    assert generator.metric("slots_used") == 0
    assert generator.metric("requests_waiting") == generator.metric("requests_running") == 0
    assert (await generator.image()).content, "others are served"


async def test_an_adapter_that_was_changed_or_claims_another_foundation(generator: Generator) -> None:
    good = await generator.add(lora_bytes(peft_unet(2, 2.0, seed=3)))
    changed = await generator.add(lora_bytes(peft_unet(2, 2.0, seed=4)))
    changed.sha256 = good.sha256
    error = await refused(generator, adapter=changed)
    assert (type(error), error.reason) == (InvalidAdapterError, "ADAPTER_DIGEST_MISMATCH")
    good.foundation_digest = "ab" * 32
    error = await refused(generator, adapter=good)
    assert (type(error), error.reason) == (InvalidAdapterError, "ADAPTER_FOREIGN_FOUNDATION")
    assert error.metadata["engine_foundation_digest"] == tiny_digest()
