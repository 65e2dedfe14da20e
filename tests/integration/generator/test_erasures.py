"""A generator that could not be told of an erasure forgets the adapter all the same, on its disk too."""

from __future__ import annotations

import asyncio
import signal
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.faults.residue import residue, weights
from headshots.artifacts import ArtifactStore
from headshots.rpc.channel import open_channel
from headshots.stores.tombstones import tombstone_key
from headshots.v1 import adapters_pb2, generator_pb2_grpc
from tests.support.foundations.engines import adapter_ref, lora_bytes, peft_unet, tiny_digest, tiny_package
from tests.support.generator.process import process, serving
from tests.support.generator.world import ask, store_adapter
from tests.support.grants import SignedStub
from tests.support.waiting import until


def adapter(seed: int) -> bytes:
    """An adapter's file, another one for each seed."""
    return lora_bytes(peft_unet(2, 2.0, seed), foundation_digest=tiny_digest())


async def paint(home: Path, address: str, *adapters: adapters_pb2.Adapter) -> None:
    """An image with each adapter, which loads it."""
    async with open_channel(address) as channel:
        stub = SignedStub(generator_pb2_grpc.GeneratorServiceStub(channel), "generator", home)
        for each in adapters:
            events = [event async for event in stub.Generate(ask(adapter=each, steps=1))]
            assert events[-1].HasField("image")


async def erase(store: ArtifactStore, data: bytes) -> None:
    """As the gateway does."""
    ref = adapter_ref(data)
    await store.put(tombstone_key(datetime.now(UTC).date(), ref.sha256, "subject"), b"")
    await store.delete(ref.key)


async def test_one_that_was_off_has_forgotten_it_before_it_serves(tmp_path: Path) -> None:
    settings = {"HEADSHOTS_GENERATOR_PACKAGE": str(tiny_package().folder)}
    store = ArtifactStore.open((tmp_path / "objects").as_uri())
    erased, kept = adapter(1), adapter(2)
    refs = [await store_adapter(store, adapter_ref(data), data) for data in (erased, kept)]
    with process(tmp_path, **settings) as (_, address):
        await serving(address)
        await paint(tmp_path, address, *refs)
    assert len(residue([tmp_path / "adapters"], weights(erased))) == 1
    await erase(store, erased)
    with process(tmp_path, **settings) as (_, address):
        await serving(address)
        left = [path.stem for path in (tmp_path / "adapters").iterdir()]
        assert left == [adapter_ref(kept).name]
        await paint(tmp_path, address, refs[1])


async def test_one_that_was_frozen_forgets_it_once_it_goes_on(tmp_path: Path) -> None:
    settings = {
        "HEADSHOTS_GENERATOR_PACKAGE": str(tiny_package().folder),
        "HEADSHOTS_GENERATOR_READ_ERASURES_SECONDS": "0.2",
    }
    store = ArtifactStore.open((tmp_path / "objects").as_uri())
    data = adapter(1)
    ref = await store_adapter(store, adapter_ref(data), data)
    with process(tmp_path, **settings) as (child, address):
        await serving(address)
        await paint(tmp_path, address, ref)
        child.send_signal(signal.SIGSTOP)
        await erase(store, data)
        await asyncio.sleep(0.5)
        copy = tmp_path / "adapters" / f"{adapter_ref(data).name}.safetensors"
        assert copy.exists()
        child.send_signal(signal.SIGCONT)
        await until(lambda: not copy.exists())
        assert residue([tmp_path], weights(data)) == {}
