"""KEDA is told what waits, also where neither a generator nor a trainer runs, and that nothing does."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import grpc.aio
import pytest

from externalscaler import externalscaler_pb2 as scaler_pb2
from externalscaler import externalscaler_pb2_grpc as scaler_pb2_grpc
from headshots.database import open_database
from headshots.errors import InvalidArgumentError, NotFoundError, UnavailableError
from headshots.rpc.statuses import error_from_rpc
from headshots.v1 import jobs_pb2
from services.gateway.scaling.queues import Kind, Queue, count_work
from services.gateway.scaling.rpc import open_scaler_port
from tests.support.gateway.caller import selfie
from tests.support.gateway.peer import FOUNDATION_DIGEST
from tests.support.gateway.pools import SECOND, SECOND_DIGEST, FakePool, opened_pools
from tests.support.gateway.world import World
from tests.support.waiting import PATIENCE_SECONDS


def asking(pool: str, per_replica: str | None = None) -> scaler_pb2.ScaledObjectRef:
    metadata = {"scalerAddress": "gateway-scaler.headshots.svc:50055", "pool": pool}
    metadata |= {"perReplica": per_replica} if per_replica is not None else {}
    return scaler_pb2.ScaledObjectRef(name="generator", namespace="headshots", scalerMetadata=metadata)


@contextlib.asynccontextmanager
async def keda(world: World) -> AsyncIterator[scaler_pb2_grpc.ExternalScalerAsyncStub]:
    """Calls of a gateway that has the port."""
    await world.kill()
    await world.start(scaler_port=0, poll_seconds=0.05)
    assert world.gateway is not None
    async with grpc.aio.insecure_channel(f"127.0.0.1:{world.gateway.scaler.port}") as channel:
        yield scaler_pb2_grpc.ExternalScalerStub(channel)


async def work(stub: scaler_pb2_grpc.ExternalScalerAsyncStub, pool: str) -> float:
    (value,) = (await stub.GetMetrics(scaler_pb2.GetMetricsRequest(scaledObjectRef=asking(pool)))).metricValues
    assert (value.metricName, value.metricValue) == (pool, value.metricValueFloat)
    return value.metricValueFloat


async def test_shots_that_wait_for_a_generator_bring_one_up_and_its_end_lets_it_go(world: World) -> None:
    subject = await world.acme.trained_subject()
    async with keda(world) as stub:
        stream = stub.StreamIsActive(asking("generators"), timeout=PATIENCE_SECONDS)
        assert (await stream.read()).result is False
        await world.stop_peer(world.generator_port)
        gallery = await world.acme.gallery(subject, shots_per_style=3)
        assert (await stream.read()).result is True, "told without being asked"
        assert await work(stub, "generators") == 3
        assert (await stub.IsActive(asking("generators"))).result is True
        assert (await stub.IsActive(asking("trainers"))).result is False
        await world.start_peer(world.generator, world.generator_port)
        found = await world.acme.finished_gallery(gallery)
        assert found.state == jobs_pb2.JOB_STATE_SUCCEEDED
        assert (await stream.read()).result is False
        assert await work(stub, "generators") == 0


async def test_a_training_that_no_trainer_has_heard_of_counts(world: World) -> None:
    subject = await world.acme.subject()
    await world.acme.upload(subject, *map(selfie, range(6)))
    async with keda(world) as stub:
        assert await work(stub, "trainers") == 0
        await world.stop_peer(world.trainer_port)
        training = await world.acme.create_training(subject)
        assert await work(stub, "trainers") == 1
        await world.start_peer(world.trainer, world.trainer_port)
        assert (await world.acme.finished_training(training.name)).state == jobs_pb2.JOB_STATE_SUCCEEDED
        assert await work(stub, "trainers") == 0


async def test_of_pools_with_one_foundation_a_training_counts_for_its_own_and_for_all_once_that_is_gone(
    world: World,
) -> None:
    subject = await world.acme.subject()
    await world.acme.upload(subject, *map(selfie, range(6)))
    await world.stop_peer(world.trainer_port)
    await world.acme.create_training(subject)
    pools = FakePool("main", FOUNDATION_DIGEST), FakePool("v2", FOUNDATION_DIGEST)
    assert [count_work(world.database, Queue(Kind.TRAINERS, pool.name), pools) for pool in pools] == [1, 0]
    renamed = FakePool("v2", FOUNDATION_DIGEST), FakePool("v3", SECOND_DIGEST)
    assert [count_work(world.database, Queue(Kind.TRAINERS, pool.name), renamed) for pool in renamed] == [1, 0]


async def test_each_pool_is_told_of_its_own_work(world: World) -> None:
    pools = await opened_pools(world, scaler_port=0)
    subject = await pools.trained(world.acme, SECOND)
    untrained = await world.acme.subject()
    await world.acme.upload(untrained, *map(selfie, range(6)))
    for port in (pools.generator_port, world.generator_port):
        await world.stop_peer(port)
    await pools.are_ready(first=0, second=0)
    await world.acme.gallery(subject, shots_per_style=3)
    pools.trainer.go.clear()
    await world.acme.create_training(untrained, foundation=SECOND)
    assert world.gateway is not None
    async with grpc.aio.insecure_channel(f"127.0.0.1:{world.gateway.scaler.port}") as channel:
        stub = scaler_pb2_grpc.ExternalScalerStub(channel)
        found = {each: await work(stub, each) for each in ("generators-v2", "trainers-v2", "generators", "trainers")}
        assert found == {"generators-v2": 3, "trainers-v2": 1, "generators": 0, "trainers": 0}
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.IsActive(asking("generators-v3"))
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND
        told = error_from_rpc(caught.value)
        assert (told.reason, "generators-v2" in told.message) == ("SCALER_POOL_UNKNOWN", True)


async def test_a_pool_that_has_never_answered_is_woken_by_shots_of_a_foundation_that_nobody_runs(world: World) -> None:
    subject = await world.acme.trained_subject()
    await world.stop_peer(world.generator_port)
    await world.acme.gallery(subject, shots_per_style=3)
    pools = FakePool(), FakePool("v2", SECOND_DIGEST, ready=1), FakePool("v3")
    main, v2, v3 = (Queue(Kind.GENERATORS, pool.name) for pool in pools)
    assert [count_work(world.database, queue, pools) for queue in (main, v2, v3)] == [3, 0, 3]
    known = FakePool(digest=FOUNDATION_DIGEST), *pools[1:]
    assert [count_work(world.database, queue, known) for queue in (main, v2, v3)] == [3, 0, 0]
    twice = *known, FakePool("v4", FOUNDATION_DIGEST)
    assert count_work(world.database, Queue(Kind.GENERATORS, "v4"), twice) == 0, "the first of two pools has the work"


async def test_what_a_replica_takes_is_as_the_trigger_says(world: World) -> None:
    async with keda(world) as stub:
        for given, told in (("8", 8.0), ("2.5", 2.5), (None, 1.0)):
            (spec,) = (await stub.GetMetricSpec(asking("generators", given))).metricSpecs
            assert (spec.metricName, spec.targetSizeFloat) == ("generators", told)
            assert spec.targetSize >= told


@pytest.mark.parametrize(
    ("ref", "reason", "cure"),
    [
        (asking("gpus"), "SCALER_POOL_UNKNOWN", "generators or trainers"),
        (scaler_pb2.ScaledObjectRef(), "SCALER_POOL_UNKNOWN", "metadata.pool is not set; set"),
        *(
            (asking("trainers", text), "SCALER_PER_REPLICA_INVALID", "0.001 to 1000000")
            for text in ("0", "-1", "many", "nan", "inf", "1e300", "1e-300")
        ),
    ],
)
async def test_a_trigger_that_asks_for_what_is_not_there_is_refused(
    world: World, ref: scaler_pb2.ScaledObjectRef, reason: str, cure: str
) -> None:
    async with keda(world) as stub:
        request = scaler_pb2.GetMetricsRequest(scaledObjectRef=ref)
        calls = stub.IsActive(ref), stub.GetMetricSpec(ref), stub.GetMetrics(request), stub.StreamIsActive(ref).read()
        for call in calls:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call
            error = error_from_rpc(caught.value)
            assert isinstance(error, NotFoundError if reason == "SCALER_POOL_UNKNOWN" else InvalidArgumentError)
            assert (error.reason, cure in error.message) == (reason, True)


MAIN = FakePool()


@dataclass(frozen=True)
class Settings:
    scaler_port: int | None
    host: str = "127.0.0.1"
    poll_seconds: float = 0.05


async def test_a_database_that_is_away_is_no_empty_queue(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'headshots.db'}")
    scaler = await open_scaler_port(database, Settings(0), [MAIN])
    async with grpc.aio.insecure_channel(f"127.0.0.1:{scaler.port}") as channel:
        stub = scaler_pb2_grpc.ExternalScalerStub(channel)
        # Its tables are not there.
        for call in (stub.IsActive(asking("trainers")), stub.StreamIsActive(asking("trainers")).read()):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
            assert error_from_rpc(caught.value).reason == "DATABASE_UNAVAILABLE"
    await scaler.stop()
    database.dispose()


async def test_the_first_work_after_none_is_told_though_the_gateway_polls_rarely(world: World) -> None:
    subject = await world.acme.trained_subject()
    scaler = await open_scaler_port(world.database, Settings(0, poll_seconds=3600.0), [MAIN])
    async with grpc.aio.insecure_channel(f"127.0.0.1:{scaler.port}") as channel:
        stream = scaler_pb2_grpc.ExternalScalerStub(channel).StreamIsActive(
            asking("generators"), timeout=PATIENCE_SECONDS
        )
        assert (await stream.read()).result is False
        world.generator.hold()
        await world.acme.gallery(subject, shots_per_style=1)
        assert (await stream.read()).result is True
    world.generator.permit()
    await scaler.stop()


async def test_bytes_that_are_no_message_are_refused_in_words(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'headshots.db'}")
    scaler = await open_scaler_port(database, Settings(0), [MAIN])
    async with grpc.aio.insecure_channel(f"127.0.0.1:{scaler.port}") as channel:
        for call in (
            channel.unary_unary("/externalscaler.ExternalScaler/IsActive")(b"\xff" * 20),
            channel.unary_stream("/externalscaler.ExternalScaler/StreamIsActive")(b"\xff" * 20).read(),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call
            assert error_from_rpc(caught.value).reason == "MESSAGE_MALFORMED"
    await scaler.stop()
    database.dispose()


async def test_without_the_setting_there_is_no_port(world: World) -> None:
    assert world.gateway is not None
    assert world.gateway.scaler.port is None


async def test_a_taken_port_is_named_with_its_variable(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'headshots.db'}")
    scaler = await open_scaler_port(database, Settings(0), [MAIN])
    with pytest.raises(UnavailableError, match="HEADSHOTS_GATEWAY_SCALER_PORT"):
        await open_scaler_port(database, Settings(scaler.port), [MAIN])
    await scaler.stop()
    database.dispose()
