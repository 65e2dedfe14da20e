"""Tests how a watch goes on after its stream broke: what it asks for, and when it is over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import grpc.aio
import pytest

from headshots.client import AsyncHeadshots
from headshots.errors import UnavailableError
from headshots.v1 import jobs_pb2, trainings_pb2

GONE = grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata())
RUNNING, DONE = jobs_pb2.JOB_STATE_RUNNING, jobs_pb2.JOB_STATE_SUCCEEDED


class Stream:
    """The messages of one connection, each (event number, state), and how it ends."""

    def __init__(self, messages: list[tuple[int, Any]], end: Exception | None) -> None:
        self._messages, self._end = messages, end

    async def __aiter__(self) -> AsyncIterator[trainings_pb2.WatchTrainingResponse]:
        for number, state in self._messages:
            training = trainings_pb2.Training(event_number=number, state=state)
            yield trainings_pb2.WatchTrainingResponse(training=training)
        if self._end is not None:
            raise self._end

    def cancel(self) -> None:
        pass


async def watch(*streams: Stream, after_event: int | None = None) -> tuple[list[int], list[int | None]]:
    """The event numbers that a caller sees, and what each connection asked for."""
    asked: list[int | None] = []
    left = list(streams)

    def connect(request: trainings_pb2.WatchTrainingRequest, **_: Any) -> Stream:
        asked.append(request.after_event if request.HasField("after_event") else None)
        return left.pop(0)

    client = AsyncHeadshots("nowhere:1", "key", reconnect_seconds=1e6)
    client._channel, client._open_stub = SimpleNamespace(), SimpleNamespace(WatchTraining=connect)
    seen = [
        each.event_number async for each in client.watch_training("subjects/s/trainings/t", after_event=after_event)
    ]
    assert left == []
    return seen, asked


async def test_each_connection_asks_for_what_comes_after_the_last_event() -> None:
    first, second, third = Stream([(3, RUNNING), (4, RUNNING)], GONE), Stream([], GONE), Stream([(5, DONE)], None)
    assert await watch(first, second, third) == ([3, 4, 5], [None, 4, 4])


async def test_a_stream_that_breaks_after_the_last_word_is_over() -> None:
    assert await watch(Stream([(7, DONE)], GONE)) == ([7], [None])


async def test_nothing_after_the_last_event_is_an_end_to_whoever_asked_for_that() -> None:
    assert await watch(Stream([], None), after_event=7) == ([], [7])


async def test_a_stream_that_ends_too_early_is_no_end() -> None:
    assert await watch(Stream([(1, RUNNING)], None), Stream([(2, DONE)], None)) == ([1, 2], [None, 1])


async def test_without_numbers_the_present_is_asked_for_again() -> None:
    assert await watch(Stream([(0, RUNNING)], GONE), Stream([(0, DONE)], None)) == ([0, 0], [None, None])


async def test_a_gateway_that_stays_away_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headshots.client.watching.FIRST_RECONNECT_SECONDS", 0.0)
    client = AsyncHeadshots("nowhere:1", "key", reconnect_seconds=-1.0)
    client._channel = SimpleNamespace()
    client._open_stub = SimpleNamespace(WatchTraining=lambda *_, **__: Stream([], GONE))
    with pytest.raises(UnavailableError):
        async for _ in client.watch_training("subjects/s/trainings/t"):
            pass
