"""Short forms of what `make bench-faults` does to a gateway: nonsense in every call, and photos of every kind.

Its other scenarios have tests of their own: deaths and freezes in tests/e2e/test_main_job.py,
tests/integration/trainer/test_chaos.py and tests/integration/gateway/painting/test_lost_gateways.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest

from benchmarks.faults.corpus import ACCEPTED, Sample, corpus
from benchmarks.faults.faults import Orders, count
from benchmarks.faults.fuzz import fuzz, kept
from benchmarks.faults.photos import send
from headshots.client import AsyncHeadshots
from headshots.imaging import PhotoLimits
from headshots.v1 import jobs_pb2
from services.gateway.tenants.servicer import TenantServicer
from tests.support.contract import CALLS
from tests.support.gateway.world import World, opened_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with opened_world(tmp_path) as world:
        yield world


def address(world: World) -> str:
    assert world.gateway is not None
    return f"127.0.0.1:{world.gateway.server.port}"


async def test_no_call_answers_nonsense_as_a_defect(world: World) -> None:
    found = await fuzz(address(world), world.acme, seed=7, count=10 * len(CALLS), say=lambda line: None)
    assert [kept(call, answer) for call, answer in found if not answer.explained] == []
    assert set(Counter(call.method.name for call, _ in found).values()) == {10}
    codes = Counter(answer.code for _, answer in found)
    assert codes["OK"] >= len(CALLS) // 2, "nothing is met behind the checks if too little passes them"
    assert codes["INVALID_ARGUMENT"] >= len(CALLS)
    assert codes["NOT_FOUND"]
    assert codes["UNAUTHENTICATED"]


async def test_a_defect_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(TenantServicer, "GetTenant", broken)
    await world.kill()
    await world.start()
    found = await fuzz(address(world), world.acme, seed=7, count=2 * len(CALLS), say=lambda line: None)
    unexplained = {call.method.name: answer for call, answer in found if not answer.explained}
    assert {name: answer.code for name, answer in unexplained.items()} == {"GetTenant": "INTERNAL"}


def first_of_each_answer(samples: Iterable[Sample]) -> list[Sample]:
    """One of each ending and set of answers."""
    kinds: dict[tuple[str, frozenset[str]], list[Sample]] = {}
    for sample in samples:
        kinds.setdefault((Path(sample.name).suffix, sample.answers), []).append(sample)
    return [same[0] for same in kinds.values()]


async def test_photos_are_answered_as_foreseen(world: World, tmp_path: Path) -> None:
    await world.kill()
    await world.start(photo_max_pixels=PhotoLimits.max_pixels)
    # Those that take seconds are the benchmark's.
    light = [sample for sample in corpus(seed=3, size=200) if not sample.heavy and "1200" not in sample.name]
    answers: Counter[str] = Counter()
    async with AsyncHeadshots(address(world), world.keys["acme"]) as client:
        for sample in first_of_each_answer(light):
            path = tmp_path / sample.name
            path.write_bytes(sample.make())
            answer, _ = await send(client, path)
            assert answer in sample.answers, sample.name
            answers[answer] += 1
    assert answers[ACCEPTED] >= 3
    assert len(answers) >= 8


async def test_what_is_lost_or_doubled_is_counted(world: World) -> None:
    def file_of(key: str) -> Path:
        return world.folder / "objects" / key

    name = await world.acme.trained_subject()
    await world.acme.finished_gallery(await world.acme.gallery(name, shots_per_style=3))
    async with AsyncHeadshots(address(world), world.keys["acme"]) as client:
        subject = await client.get_subject(name)
        calm = await count(file_of, client, [subject], Orders())
        assert (calm.shots, calm.doubled, calm.trainings, calm.notes) == (0, 0, 0, [])
        first, second, *_ = sorted(file_of(f"tenants/acme/{name}/images").iterdir())
        first.unlink()
        second.write_bytes(b"other bytes")
        first.with_name("of-no-shot.png").touch()
        first.with_name(f"{second.name}#1").touch()
        world.trainer.failure = jobs_pb2.Failure(reason="TRAINING_KILLED", message="it was killed")
        await world.acme.finished_training((await world.acme.create_training(name)).name)
        orders = Orders([f"{name}/trainings/gone"], {f"{name}/galleries/gone": 10})
        hurt = await count(file_of, client, [subject], orders)
    # A file is known by its content: the one with other bytes belongs to no shot either.
    assert (hurt.shots, hurt.doubled, hurt.trainings) == (2 + 10, 2, 1 + 1)
    assert len(hurt.notes) == 7, "a training, a gallery, three files, and two that are gone"
