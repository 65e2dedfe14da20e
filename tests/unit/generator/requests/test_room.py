"""Orders in a frame that the foundation's usual pictures have no room for are refused before anything is painted."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from headshots.errors import FailedPreconditionError
from headshots.looks.frame import Frame
from headshots.v1 import generator_pb2 as pb
from services.gateway.peers import convert
from services.generator.requests.checking import RequestChecker
from services.generator.requests.request import GenerationRequest, Source, StoredPicture
from services.generator.servicer import GeneratorServicer
from tests.support.foundations.engines import tiny_package

WIDE_FRAME, CLOSE_FRAME = Frame(96, 120), Frame(96, 120, 0.39, 0.94)
CLOSE = replace(tiny_package(), head_height=0.78, eye_line=0.39)


def request(frame: Frame | None, **more: Any) -> GenerationRequest:
    return GenerationRequest("acme", "photo of sks man", frame=frame, **more)


def test_a_frame_without_room_is_told_by_a_check_and_still_tried_when_painting() -> None:
    checker = RequestChecker(CLOSE, can_frame=True)
    with pytest.raises(FailedPreconditionError) as caught:
        checker.check(request(WIDE_FRAME))
    assert caught.value.reason == "FRAME_BEYOND_PORTRAITS"
    assert [each.field for each in caught.value.violations] == ["frame.head_height"]
    assert CLOSE.foundation in caught.value.message
    assert "head height of 0.94 and an eye line of 0.39" in caught.value.message
    assert checker.plan(request(WIDE_FRAME)), "one picture may have room all the same"


def test_nothing_is_refused_that_may_have_room() -> None:
    checker, size = RequestChecker(CLOSE, can_frame=True), CLOSE.native_width_px + CLOSE.size_multiple_px
    repainted = Source(StoredPicture("pictures/1", "0" * 64))
    for fine in (
        request(CLOSE_FRAME),
        request(None),
        request(WIDE_FRAME, width_px=size),
        request(WIDE_FRAME, source=repainted),
    ):
        assert checker.check(fine)
    assert RequestChecker(tiny_package(), can_frame=True).check(request(WIDE_FRAME)), "it does not tell"


async def test_generators_tell_gateways_how_heads_stand() -> None:
    for package, told in ((CLOSE, (0.78, 0.39)), (tiny_package(), (None, None))):
        held = SimpleNamespace(in_slots=[], in_memory=[], on_disk=[])
        numbers = {"backend": "", "slots_used": 0, "max_rows": 1, "waiting": 0, "running": 0}
        engine: Any = SimpleNamespace(
            state=lambda p=package, h=held, n=numbers: SimpleNamespace(package=p, held=h, **n)
        )
        context: Any = None
        answer = await GeneratorServicer(engine).DescribeGenerator(pb.DescribeGeneratorRequest(), context)
        described = convert.description(answer)
        assert (described.head_height, described.eye_line) == told
