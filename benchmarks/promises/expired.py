"""Tries every call of the public API on subjects past their time, before any sweep."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import grpc.aio
import sqlalchemy as sa

from benchmarks.promises.report import Order
from benchmarks.report import Measured
from headshots.database import database_now
from headshots.rpc.channel import error_from_rpc
from headshots.schema import retentions
from tests.support.gateway.caller import Caller
from tests.support.gateway.furnished import furnished
from tests.support.gateway.names import NAME_FIELDS, NameField, Names, requests
from tests.support.gateway.world import World, opened_world
from tests.support.waiting import PATIENCE_SECONDS

_NO_SWEEP_SECONDS = 3600.0
_LONGEST_SECONDS = 400 * 86400.0
_GOES_ON = ("DeleteSubject", "ListAuditEvents")
"""Erasing them, and what was done to them, which is told after an erasure too."""
_REFUSED = "SUBJECT_EXPIRED"
FIELDS = [
    field for field in NAME_FIELDS if field.collections[0] == "subjects" and field.call.name not in _GOES_ON
]  # fmt: skip


def run(order: Order) -> Measured:
    """Subjects with one of everything, whose time has been over for a millisecond up to 400 days."""
    return asyncio.run(_run(order))


async def _run(order: Order) -> Measured:
    chance, answers = random.Random(order.seed), Counter[str]()
    async with opened_world(order.work) as world:
        await world.kill()
        await world.start(erase_again_seconds=_NO_SWEEP_SECONDS, links_port=0)
        caller = world.caller(world.keys["acme"])
        for number in range(order.scale.expired):
            names = await furnished(caller, number)
            over = _LONGEST_SECONDS ** chance.uniform(-0.4, 1.0)
            _expire(world, names, over)
            for field in FIELDS:
                answers[await _answer(caller, field, names)] += 1
    usable = sum(count for reason, count in answers.items() if reason != _REFUSED)
    details = {"subjects": order.scale.expired, "calls": sum(answers.values()), "answers": dict(answers)}
    return Measured({"expired_subjects_usable": usable}, {"expired": details})


def _expire(world: World, names: Names, seconds: float) -> None:
    """Their time has been over for so long."""
    with world.database.begin() as connection:
        past, its = database_now(connection) - seconds, retentions.c.id == names.ids["subjects"]
        connection.execute(sa.update(retentions).where(its).values(expires_at=past))


async def _answer(caller: Caller, field: NameField, names: Names) -> str:
    """The reason of the refusal; OK where there was none."""
    messages = requests(field.call, names, field, names.name(field.collections))
    sent = iter(messages) if field.call.client_streaming else messages[0]
    answer = getattr(caller.stub, field.call.name)(sent, metadata=caller.metadata, timeout=PATIENCE_SECONDS)
    try:
        if field.call.server_streaming:
            async for _ in answer:
                pass
        else:
            await answer
    except grpc.aio.AioRpcError as error:
        return error_from_rpc(error).reason
    return "OK"
