"""What a generator tells of a request without painting it, through real gRPC."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import grpc
import pytest

from headshots.errors import InvalidArgumentError
from headshots.rpc.channel import error_from_rpc
from headshots.v1 import generator_pb2 as pb
from tests.support.foundations.engines import tiny_package
from tests.support.generator.world import Generator, ask, refused, running_generator

LONG = "suit " * (tiny_package().window_tokens - 2) + "and turquoise shoes"


async def check(generator: Generator, **request: Any) -> pb.CheckGenerationResponse:
    return await generator.stub.CheckGeneration(pb.CheckGenerationRequest(request=ask(**request)))


async def test_a_check_tells_the_defaults_and_what_is_read(generator: Generator) -> None:
    package = tiny_package()
    answer = await check(generator, prompt="photo of sks man", negative_prompt="turquoise", width_px=32)
    assert (answer.width_px, answer.height_px) == (32, package.native_height_px)
    assert (answer.steps, answer.guidance_scale) == (package.steps, package.guidance_scale)
    assert (answer.prompt.tokens, answer.prompt.lost) == (6, "")
    assert list(answer.prompt.unknown_words) == list(answer.negative_prompt.unknown_words) == [], "an open vocabulary"
    assert generator.engine.state().waiting == generator.metric("requests_total", status="ok") == 0


async def test_a_closed_vocabulary_names_each_unknown_word_once(tmp_path: Path) -> None:
    words = ("a", "man", "suit", "wall", "wearing")
    package = dataclasses.replace(tiny_package(), vocabulary=words, negative_prompt="turquoise")
    async with running_generator(tmp_path, package=package) as generator:
        answer = await check(generator, prompt="a man, wearing a Turquoise suit, ORANGE wall, turquoise suit, 4k")
        assert list(answer.prompt.unknown_words) == ["turquoise", "orange", "k"]
        described = await generator.stub.DescribeGenerator(pb.DescribeGeneratorRequest())
        assert (tuple(described.vocabulary), described.negative_prompt) == (words, "turquoise")


async def test_a_prompt_that_is_too_long_is_told_by_a_check_and_refused_by_a_generation(generator: Generator) -> None:
    assert (await check(generator, prompt=LONG)).prompt.lost == "and turquoise shoes"
    assert (await check(generator, negative_prompt=LONG)).negative_prompt.lost == "and turquoise shoes"
    for field in ("prompt", "negative_prompt"):
        error = await refused(generator, **{field: LONG})
        assert (type(error), error.reason) == (InvalidArgumentError, "PROMPT_TOO_LONG")
        assert "and turquoise shoes" in error.message
        assert [violation.field for violation in error.violations] == [field]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"width_px": 40}, "SIZE_INVALID"),
        ({"source": pb.Source(picture=pb.Picture(content=b"x"), repaint=0.1), "steps": 6}, "REPAINT_TOO_LITTLE"),
        ({"prompt": ""}, "CONSTRAINT_VIOLATED"),
    ],
    ids=str,
)
async def test_a_check_refuses_what_a_generation_refuses(
    generator: Generator, fields: dict[str, Any], reason: str
) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        await check(generator, **fields)
    assert error_from_rpc(caught.value).reason == reason
    assert (await refused(generator, **fields)).reason == reason


async def test_a_generator_describes_its_sizes_and_its_window(generator: Generator) -> None:
    package = tiny_package()
    answer = await generator.stub.DescribeGenerator(pb.DescribeGeneratorRequest())
    assert (answer.min_width_px, answer.max_width_px) == package.width_range_px
    assert (answer.min_height_px, answer.max_height_px) == package.height_range_px
    assert answer.size_multiple_px == package.size_multiple_px
    assert list(answer.class_nouns) == ["person", "man", "woman"]
    assert answer.window_tokens == package.text_encoders[0].max_tokens
