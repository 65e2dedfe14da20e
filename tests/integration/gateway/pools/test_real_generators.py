"""Two real generators side by side, each the pool of a foundation of its own: each paints what the other refuses."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

from prometheus_client import CollectorRegistry

from headshots.database import open_database
from headshots.rpc.internal.settings import InternalSettings
from services.gateway.peers.events import ImageDone
from services.gateway.peers.metrics import PoolMetrics
from services.gateway.peers.models import Adapter, GenerationRequest
from services.gateway.peers.pools.declared import DeclaredPool
from services.gateway.peers.pools.opening import open_pools
from tests.support.deploy.tables import make_tables
from tests.support.foundations.engines import lora_bytes, peft_unet, tiny_digest, tiny_package
from tests.support.generator.world import Generator, running_generator
from tests.support.grants import KEY_FILE

SUBJECT = "tenants/acme/subjects/s"
SECOND_DIGEST = "e1" * 32


async def stored(generator: Generator, data: bytes, digest: str) -> Adapter:
    key, sha256 = f"{SUBJECT}/trainings/{digest[:8]}/adapter.safetensors", hashlib.sha256(data).hexdigest()
    await generator.store.put(key, data)
    return Adapter(sha256, key, digest, 2, "sks", len(data), "", "")


async def test_each_foundations_adapter_is_painted_by_its_own_generator(tmp_path: Path) -> None:
    second = dataclasses.replace(tiny_package(), foundation_digest=SECOND_DIGEST)
    database = open_database(f"sqlite:///{tmp_path / 'headshots.db'}")
    make_tables(database)
    async with running_generator(tmp_path) as one, running_generator(tmp_path, package=second) as other:
        declared = DeclaredPool("main", "127.0.0.1:1", one.address), DeclaredPool("v2", "127.0.0.1:2", other.address)
        metrics, internal = PoolMetrics(CollectorRegistry(), ["main", "v2"]), InternalSettings(tmp_path / KEY_FILE)
        opened = open_pools(declared, "main", internal, database, metrics, poll_seconds=1.0)
        images = {}
        for number, digest in enumerate((tiny_digest(), SECOND_DIGEST)):
            adapter = await stored(one, lora_bytes(peft_unet(2, 2.0, number)), digest)
            request = GenerationRequest("acme", adapter, "photo of sks man", steps=2, output_prefix=f"{SUBJECT}/images")
            (image,) = [each async for each in opened.pools.generate(request) if isinstance(each, ImageDone)]
            images[digest] = image.sha256
        for channel in opened.channels:
            await channel.close()
        assert len(set(images.values())) == 2
        for generator in (one, other):
            assert generator.metric("requests_total", status="ok") == 1
    database.dispose()
