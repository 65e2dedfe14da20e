"""The same shoots again, while services are killed in turn at random points: nothing may be lost or made twice."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Set
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.faults.injuries import revive
from benchmarks.faults.world import database_of
from benchmarks.report import Measured
from benchmarks.shoot.people import Person
from benchmarks.shoot.report import Say, Scale
from benchmarks.shoot.studio import TENANT, Done, Studio
from headshots.client import Shoot, Subject
from headshots.schema import shots

_SERVICES = ("gateway", "generator", "trainer")
_AWAY_SECONDS = (0.0, 3.0)


async def run(studio: Studio, people: list[Person], scale: Scale, say: Say) -> Measured:
    """``scale.kills`` spread over the shoots; each killed service is started again after up to three seconds."""
    chance, killed, rows = random.Random(scale.kills), Counter[str](), []
    lost = twice = 0
    for number, person in enumerate(people):
        subject = await studio.subject(person)
        before = _stored(studio, subject)
        many = scale.kills // len(people) + (number < scale.kills % len(people))
        done, hit = await _disturbed(studio, person, scale, chance, many, offset=sum(killed.values()))
        killed.update(hit)
        calm = studio.done[person.name]
        fewer = max(calm.shoot.delivered - done.shoot.delivered, 0)
        doubled = _doubled(studio, subject, done.shoot, before)
        lost, twice = lost + fewer, twice + doubled
        rows.append(
            {
                "person": person.name,
                "killed": dict(Counter(hit)),
                "delivered": done.shoot.delivered,
                "undisturbed": calm.shoot.delivered,
                "guarantee": str(done.shoot.guarantee),
                "same_pictures": len({image.sha256 for image in done.images} & {image.sha256 for image in calm.images}),
                "painted_twice": doubled,
                "seconds": round(done.seconds, 1),
            }
        )
        say(f"{person.name}: {', '.join(hit) or 'nobody'} killed, {done.shoot.delivered} delivered")
    figures: dict[str, float] = {
        "kills": sum(killed.values()),
        "kills_lost_portraits": lost,
        "kills_painted_twice": twice,
    }
    return Measured(figures, {"kills": rows})


async def _disturbed(
    studio: Studio, person: Person, scale: Scale, chance: random.Random, many: int, *, offset: int
) -> tuple[Done, list[str]]:
    """A shoot with ``many`` kills in the time that it took undisturbed."""
    ordered = asyncio.create_task(studio.shoot(person, scale.count, f"disturbed-{person.number}"))
    span, hit = studio.done[person.name].seconds, []
    moments = sorted(chance.uniform(0.03, 0.97) * span for _ in range(many))
    passed = 0.0
    for number, moment in enumerate(moments):
        await asyncio.wait({ordered}, timeout=moment - passed)
        passed = moment
        service = _SERVICES[(offset + number) % len(_SERVICES)]
        studio.platform.kill(service)
        await asyncio.sleep(chance.uniform(*_AWAY_SECONDS))
        revive(studio.platform, {service})
        hit.append(service)
    return await ordered, hit


def _stored(studio: Studio, subject: Subject) -> set[str]:
    folder: Path = studio.platform.object(f"tenants/{TENANT}/{subject.name}/images")
    return {hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*") if "#" not in path.name}


def _doubled(studio: Studio, subject: Subject, shoot: Shoot, before: set[str]) -> int:
    gallery_id = shoot.gallery.rpartition("/")[2]
    with database_of(studio.platform) as database, database.connect() as connection:
        found = connection.execute(sa.select(shots).where(shots.c.gallery_id == gallery_id)).mappings().all()
    return count_doubled(found, _stored(studio, subject) - before)


def count_doubled(rows: Iterable[Mapping[str, Any]], stored: Set[str]) -> int:
    """Tries that are recorded twice, and pictures that were stored and that no try has recorded.

    Args:
        rows: shots of the gallery, as the schema has them.
        stored: SHA-256 of the pictures that were stored for it, hexadecimal.
    """
    tried, recorded = [], set()
    for row in rows:
        for each in row["refused_tries"] or ():
            tried.append((row["number"], each["seed"]))
            recorded.add(each["image"]["sha256"])
        if row["image"] is not None:
            tried.append((row["number"], row["seed"]))
            recorded.add(row["image"]["sha256"])
    return len(tried) - len(set(tried)) + len(stored - recorded)
