"""A second pool beside a world's own, with another foundation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from headshots.v1 import foundations_pb2, jobs_pb2
from tests.support.gateway.caller import Caller, selfie
from tests.support.gateway.fake_generator import FakeGenerator
from tests.support.gateway.fake_trainer import FakeTrainer
from tests.support.gateway.peer import FOUNDATION_DIGEST
from tests.support.gateway.world import World
from tests.support.waiting import until

SECOND_DIGEST = "e1" * 32
FIRST, SECOND = f"foundations/{FOUNDATION_DIGEST}", f"foundations/{SECOND_DIGEST}"


@dataclass(frozen=True)
class FakePool:
    """What scaling knows of a pool."""

    name: str = "main"
    digest: str = ""
    ready: int = 0


class Pools:
    """A world with the pools main and v2."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.trainer, self.generator = FakeTrainer(world.store), FakeGenerator(world.store)
        self.trainer.foundation_digest = self.generator.foundation_digest = SECOND_DIGEST
        self.trainer_port = self.generator_port = 0

    async def open(self, **changes: Any) -> None:
        """Starts the second pool's peers, and the gateway anew with it."""
        self.trainer_port = await self.world.start_peer(self.trainer)
        self.generator_port = await self.world.start_peer(self.generator)
        await self.restart(**changes)

    @property
    def setting(self) -> str:
        """HEADSHOTS_GATEWAY_POOLS."""
        return f"v2=127.0.0.1:{self.trainer_port},127.0.0.1:{self.generator_port}"

    async def restart(self, **changes: Any) -> None:
        """The gateway as after a crash, with other settings."""
        if self.world.gateway is not None:
            await self.world.kill()
        await self.world.start(**{"pools": self.setting, "generator_poll_seconds": 0.1, **changes})

    async def foundations(self, *names: str) -> list[foundations_pb2.Foundation]:
        """What ListFoundations answers once these are known."""
        found: list[foundations_pb2.Foundation] = []

        async def are_known() -> bool:
            answer = await self.world.acme("ListFoundations", foundations_pb2.ListFoundationsRequest())
            found[:] = answer.foundations
            return set(names) <= {each.name for each in found}

        await until(are_known)
        return found

    async def are_ready(self, **ready: int) -> None:
        """Waits until so many generators take requests for the foundations `first` and `second`."""
        names = {"first": FIRST, "second": SECOND}

        async def are() -> bool:
            found = {each.name: each.ready_generators for each in await self.foundations()}
            return all(found.get(names[which]) == count for which, count in ready.items())

        await until(are)

    async def trained(self, caller: Caller, foundation: str, **fields: Any) -> str:
        """A subject with an adapter of a foundation."""
        subject = await caller.subject(**fields)
        await caller.upload(subject, *map(selfie, range(6)))
        training = await caller.create_training(subject, foundation=foundation)
        assert (await caller.finished_training(training.name)).state == jobs_pb2.JOB_STATE_SUCCEEDED
        return subject


async def opened_pools(world: World, **changes: Any) -> Pools:
    """The second pool beside a world that runs."""
    pools = Pools(world)
    await pools.open(**changes)
    return pools
