"""Tests that the SDK retries calls, reconnects watches, and reports a gateway that it cannot reach."""

from __future__ import annotations

import asyncio
import json

import pytest

from headshots.client import AsyncHeadshots, JobState, connection
from headshots.errors import (
    CancelledByCallerError,
    DeadlineExceededError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
)
from headshots.rpc.server import RunningServer
from tests.support.fake_gateway.gateway import API_KEY, FakeGateway, start_fake_gateway
from tests.support.fake_gateway.prepared import selfie, subject_with_photos
from tests.support.fake_gateway.styles import STYLES
from tests.support.ports import free_port
from tests.support.waiting import PATIENCE_SECONDS


async def test_idempotent_calls_are_retried_and_uploads_are_not(client: AsyncHeadshots, fake: FakeGateway) -> None:
    fake.unavailable.update({"GetTenant": 2, "CreateSubject": 1, "UploadPhotos": 1, "DeleteSubject": 1})
    await client.get_tenant()
    assert fake.calls["GetTenant"] == 3
    subject = await client.create_subject()
    assert fake.calls["CreateSubject"] == 2
    assert len(fake.subjects) == 1
    with pytest.raises(UnavailableError):
        await client.upload_photos(subject, [selfie(0)])
    with pytest.raises(UnavailableError):
        await client.delete_subject(subject)
    assert (fake.calls["UploadPhotos"], fake.calls["DeleteSubject"]) == (1, 1)


async def test_a_new_client_finds_a_gateway_that_others_could_not_reach(fake: FakeGateway) -> None:
    """A connection that failed is tried again after a pause, which is no business of a client that begins later."""
    port = free_port()
    async with AsyncHeadshots(f"127.0.0.1:{port}", API_KEY, timeout_seconds=PATIENCE_SECONDS) as early:
        with pytest.raises(UnavailableError):
            await early.get_tenant()
        running = await start_fake_gateway(fake, port=port)
        async with AsyncHeadshots(f"127.0.0.1:{port}", API_KEY, timeout_seconds=PATIENCE_SECONDS) as late:
            await late.get_tenant()
        await running.stop()


def test_a_gateway_that_was_away_is_looked_for_while_calls_are_repeated() -> None:
    """By themselves connections are tried less and less often, in the end every two minutes."""
    longest_seconds = int(connection.CHANNEL_OPTIONS["grpc.max_reconnect_backoff_ms"]) / 1000
    policy = json.loads(connection.SERVICE_CONFIG)["methodConfig"][0]["retryPolicy"]
    assert longest_seconds < float(policy["maxBackoff"].removesuffix("s"))


async def test_a_call_that_an_ending_gateway_cancels_is_repeated(client: AsyncHeadshots, fake: FakeGateway) -> None:
    fake.cancelled.update({"GetTenant": 1, "DeleteSubject": 1})
    await client.get_tenant()
    assert fake.calls["GetTenant"] == 2
    with pytest.raises(CancelledByCallerError):
        await client.delete_subject("subjects/s0")


async def test_watches_survive_a_gateway_that_goes_away(client: AsyncHeadshots, fake: FakeGateway) -> None:
    subject = await subject_with_photos(client)
    fake.cut_after = [2, 0, 1]
    assert (await client.train(subject)).state is JobState.SUCCEEDED
    assert fake.calls["WatchTraining"] == 4
    fake.cut_after = [2, 3]
    painted = [each async for each in client.generate(subject, STYLES[:2], shots_per_style=2)]
    assert [each.image.name.rpartition("/")[2] for each in painted] == ["0", "1", "2", "3"]
    assert fake.calls["WatchGallery"] == 3


async def test_watch_finds_the_gateway_again_on_its_port(fake: FakeGateway) -> None:
    first = await start_fake_gateway(fake, port=free_port())
    async with AsyncHeadshots(f"127.0.0.1:{first.port}", API_KEY, reconnect_seconds=PATIENCE_SECONDS) as client:
        training = await client.create_training(await subject_with_photos(client))
        watch = client.watch_training(training)
        assert (await anext(watch)).state is JobState.PENDING
        await first.stop()
        second = await start_fake_gateway(fake, port=first.port)
        states = [now.state async for now in watch]
        assert states[-1] is JobState.SUCCEEDED
        await second.stop()


async def test_watch_gives_up_in_time(fake: FakeGateway) -> None:
    running = await start_fake_gateway(fake)
    async with AsyncHeadshots(f"127.0.0.1:{running.port}", API_KEY, reconnect_seconds=0.3) as client:
        training = await client.create_training(await subject_with_photos(client))
        await running.stop()
        with pytest.raises(UnavailableError):
            await client.wait_training(training)


async def test_calls_wait_for_a_gateway_where_they_are_told_to(fake: FakeGateway) -> None:
    """None of these is sent twice, so each would fail at once; and of a subject that is there nobody tells."""
    port, subject, photo = free_port(), "subjects/none", selfie(0)
    async with AsyncHeadshots(
        f"127.0.0.1:{port}", API_KEY, timeout_seconds=PATIENCE_SECONDS, wait_for_gateway=True
    ) as client:
        calls = [
            asyncio.create_task(client.delete_subject(subject)),
            asyncio.create_task(client.upload_photos(subject, [photo])),
            asyncio.create_task(client.download_training(f"{subject}/trainings/none")),
        ]
        done, _ = await asyncio.wait(calls, timeout=0.5)
        assert done == set(), "they wait"
        running = await start_fake_gateway(fake, port=port)
        answers = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(answer) for answer in answers] == [NotFoundError] * 3
        await running.stop()
    async with AsyncHeadshots(f"127.0.0.1:{port}", API_KEY, timeout_seconds=0.2, wait_for_gateway=True) as client:
        with pytest.raises(DeadlineExceededError):
            await client.get_tenant()


async def test_wrong_key_and_unreachable_gateway_raise_different_errors(server: RunningServer) -> None:
    async with AsyncHeadshots(f"127.0.0.1:{server.port}", "hs_wrong") as client:
        with pytest.raises(UnauthenticatedError, match="keys create"):
            await client.get_tenant()
        training = "subjects/s0/trainings/t0"
        with pytest.raises(UnauthenticatedError):
            await client.wait_training(training)
    await server.stop()
    async with AsyncHeadshots(f"127.0.0.1:{server.port}", API_KEY, timeout_seconds=PATIENCE_SECONDS) as client:
        with pytest.raises(UnavailableError) as caught:
            await client.get_tenant()
    assert caught.value.reason == "SERVER_UNREACHABLE"
