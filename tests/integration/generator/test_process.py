"""The generator as a process: it exports what it serves, warms up, drains on SIGTERM, and says why it cannot start."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import grpc
import grpc.aio
import pytest

from headshots.rpc.channel import error_from_rpc, open_channel
from headshots.v1 import generator_pb2 as pb
from headshots.v1 import generator_pb2_grpc
from tests.support.fake_gpu import with_fake_engines
from tests.support.foundations.engines import tiny_digest, tiny_foundation, tiny_package
from tests.support.generator.process import process, serving
from tests.support.generator.world import ask
from tests.support.grants import SignedStub
from tests.support.kubernetes_api import FakeKubernetes
from tests.support.waiting import PATIENCE_SECONDS, until, until_equal

POD = "generator-7d9f-x2x4p"


async def test_it_exports_its_foundation_serves_and_drains(tmp_path: Path) -> None:
    settings = {
        "HEADSHOTS_FOUNDATION": str(tiny_foundation()),
        "HEADSHOTS_GENERATOR_EXPORT_SLOTS": "3",
        "HEADSHOTS_GENERATOR_EXPORT_MAX_RANK": "2",
    }
    with process(tmp_path, **settings) as (child, address):
        await serving(address)
        assert [path.name for path in (tmp_path / "engines").glob("tiny-epsilon-*/engine.json")] == ["engine.json"]
        async with open_channel(address) as channel:
            stub = SignedStub(generator_pb2_grpc.GeneratorServiceStub(channel), "generator", tmp_path)
            found = await stub.DescribeGenerator(pb.DescribeGeneratorRequest())
            assert (found.foundation_digest, found.slots, found.max_rank) == (tiny_digest(), 3, 2)
            running = stub.Generate(ask(steps=60))
            seen = []
            async for event in running:
                seen.append(event.WhichOneof("event"))
                if len(seen) == 5:
                    child.send_signal(signal.SIGTERM)
            assert seen[-1] == "image", "what was accepted before SIGTERM is finished"
        assert await asyncio.to_thread(child.wait, PATIENCE_SECONDS) == 0


async def its_pod_tells_work_and_its_end(stub: SignedStub, kubernetes: FakeKubernetes) -> None:
    """More requests than it can end between two looks at them; then none."""
    calls = [stub.Generate(ask(steps=150, image_count=4)) for _ in range(8)]
    reading = [asyncio.create_task(anext(aiter(call))) for call in calls]
    await until(lambda: bool(kubernetes.costs(POD)) and kubernetes.costs(POD)[-1] > 0)
    for call in calls:
        call.cancel()
    await asyncio.gather(*reading, return_exceptions=True)
    await until_equal(lambda: kubernetes.costs(POD)[-1], 0)


async def test_its_pod_tells_its_work_and_what_comes_while_it_drains_is_sent_elsewhere(
    tmp_path: Path, kubernetes: FakeKubernetes
) -> None:
    settings = {"HEADSHOTS_GENERATOR_PACKAGE": str(tiny_package().folder), "HEADSHOTS_GENERATOR_MAX_ROWS": "2"}
    settings |= {"HEADSHOTS_POD_NAME": POD, **kubernetes.environment}
    with process(tmp_path, **settings) as (child, address):
        await serving(address)
        async with open_channel(address) as channel:
            stub = SignedStub(generator_pb2_grpc.GeneratorServiceStub(channel), "generator", tmp_path)
            await its_pod_tells_work_and_its_end(stub, kubernetes)
            running = stub.Generate(ask(steps=150, image_count=4))
            events = aiter(running)
            while (await anext(events)).WhichOneof("event") != "step":
                pass
            child.send_signal(signal.SIGTERM)
            error = None
            while error is None:
                try:
                    _ = [event async for event in stub.Generate(ask(steps=1, guidance_scale=1.0))]
                except grpc.RpcError as caught:
                    error = error_from_rpc(caught)
            assert error.code is grpc.StatusCode.UNAVAILABLE
            left = [event.WhichOneof("event") async for event in events]
            assert left.count("image") == 4
        assert await asyncio.to_thread(child.wait, PATIENCE_SECONDS) == 0


async def test_engines_that_its_provider_does_not_run_are_told(tmp_path: Path) -> None:
    package = with_fake_engines(tiny_package(), tmp_path / "package", ("sm89",))
    with process(tmp_path, HEADSHOTS_GENERATOR_PACKAGE=str(package.folder)) as (child, address):
        await serving(address)
        child.send_signal(signal.SIGTERM)
        _, errors = await asyncio.to_thread(child.communicate, timeout=PATIENCE_SECONDS)
    assert "engines for sm89 stay unused: HEADSHOTS_GENERATOR_PROVIDER is cpu, and tensorrt-rtx runs them" in errors
    assert "event loop uvloop" in errors


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"HEADSHOTS_GENERATOR_PROVIDER": "tensorrt"}, "PROVIDER_UNAVAILABLE"),
        ({"HEADSHOTS_GENERATOR_PROVIDER": "tensorrt-rtx"}, "ENGINE_TARGET_MISSING"),
        ({"HEADSHOTS_GENERATOR_PACKAGE": "/nowhere"}, "ENGINE_NOT_FOUND"),
        ({"HEADSHOTS_GENERATOR_PACKAGE": "", "HEADSHOTS_FOUNDATION": "/nowhere"}, "FOUNDATION_NOT_FOUND"),
        ({"HEADSHOTS_GENERATOR_MAX_ROWS": "many"}, "SETTING_INVALID"),
        ({"HEADSHOTS_GENERATOR_HOST": "0.0.0.0"}, "INTERNAL_PORT_OPEN"),
        ({"HEADSHOTS_INTERNAL_KEY_FILE": "{empty}"}, "INTERNAL_KEY_INVALID"),
        ({"HEADSHOTS_GENERATOR_READ_ERASURES_SECONDS": "0"}, "SETTING_INVALID"),
    ],
)
def test_it_says_why_it_cannot_start(tmp_path: Path, settings: dict[str, str], said: str) -> None:
    empty = tmp_path / "empty"
    empty.write_text("")
    given = {"HEADSHOTS_GENERATOR_PACKAGE": str(tiny_package().folder), **settings}
    given = {name: value.format(empty=empty) for name, value in given.items()}
    with process(tmp_path, **given) as (child, _):
        _, errors = child.communicate(timeout=PATIENCE_SECONDS)
        assert child.returncode == 1
        assert said in errors
        assert "Traceback" not in errors
