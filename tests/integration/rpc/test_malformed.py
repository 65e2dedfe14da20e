"""Bytes that are no message are refused in words, counted, and one line of the log."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio
import pytest

from headshots.errors import (
    InvalidArgumentError,
    UnauthenticatedError,
)
from headshots.rpc.channel import open_channel
from headshots.rpc.server import RunningServer
from tests.integration.rpc.conftest import KEY, failure, until_counted

# No end of a length, a wrong wire type, an end of a group, no UTF-8 in a string, and a length beyond the message.
GARBAGE = [b"\xff" * 20, b"\x0f", b"\x0c", b"\x0a\x02\xff\xfe", b"\x0a\x7fshort"]


UNARY = "/headshots.v1.SubjectService/GetSubject"


SERVER_STREAM = "/headshots.v1.TrainingService/WatchTraining"


CLIENT_STREAM = "/headshots.v1.PhotoService/UploadPhotos"


async def raw_failure(channel: grpc.aio.Channel, method: str, data: bytes, metadata: Any) -> Any:
    """What a call with these bytes as its only message fails with."""
    if method == CLIENT_STREAM:

        async def messages() -> AsyncIterator[bytes]:
            yield data

        return await failure(channel.stream_unary(method)(messages(), metadata=metadata))
    if method == SERVER_STREAM:
        return await failure(channel.unary_stream(method)(data, metadata=metadata).read())
    return await failure(channel.unary_unary(method)(data, metadata=metadata))


@pytest.mark.parametrize("method", [UNARY, SERVER_STREAM, CLIENT_STREAM])
@pytest.mark.parametrize("data", GARBAGE, ids=range(len(GARBAGE)))
async def test_bytes_that_are_no_message_are_told_counted_and_one_line_of_the_log(
    running: RunningServer, method: str, data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_channel(f"127.0.0.1:{running.port}") as channel:
        error = await raw_failure(channel, method, data, KEY)
        stranger = await raw_failure(channel, method, data, ())
    assert isinstance(error, InvalidArgumentError)
    assert error.reason == "MESSAGE_MALFORMED"
    assert isinstance(stranger, UnauthenticatedError)
    await until_counted(running, method, {"INVALID_ARGUMENT": 1, "UNAUTHENTICATED": 1})
    warned = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [(method in record.getMessage(), record.exc_info) for record in warned] == [(True, None)]


async def test_health_answers_garbage_as_every_call_does(running: RunningServer) -> None:
    async with open_channel(f"127.0.0.1:{running.port}") as channel:
        error = await raw_failure(channel, "/grpc.health.v1.Health/Check", b"\xff", ())
    assert error.reason == "MESSAGE_MALFORMED"
