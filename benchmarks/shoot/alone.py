"""What a shoot costs over its training and its gallery, each ordered by itself."""

from __future__ import annotations

import time

import numpy as np

from benchmarks.report import Measured
from benchmarks.shoot.people import Person
from benchmarks.shoot.report import STYLES, Say, Scale
from benchmarks.shoot.studio import Studio


async def run(studio: Studio, people: list[Person], scale: Scale, say: Say) -> Measured:
    """A shoot, then at once the same training and a plain gallery of as many tries, so that both meet one machine."""
    rows = []
    for person in people[: scale.alone]:
        subject = await studio.subject(person)
        shoot = await studio.shoot(person, scale.count, f"timed-{person.number}")
        training_seconds = await _timed_training(studio, person)
        even, more = divmod(shoot.shoot.tries, len(STYLES))
        counts = [even + (row < more) for row in range(len(STYLES))]
        begun = time.monotonic()
        gallery = await studio.client.create_gallery(subject, STYLES, style_shots=counts, seed=1)
        async for _ in studio.client.watch_gallery(gallery):
            pass
        gallery_seconds = time.monotonic() - begun
        ratio = shoot.seconds / (training_seconds + gallery_seconds)
        rows.append(
            {
                "person": person.name,
                "shoot_seconds": round(shoot.seconds, 1),
                "training_seconds": round(training_seconds, 1),
                "gallery_seconds": round(gallery_seconds, 1),
                "ratio": ratio,
            }
        )
        say(f"{person.name}: {shoot.seconds:.0f} s over {training_seconds:.0f} s and {gallery_seconds:.0f} s")
    return Measured({"overhead": float(np.median([row["ratio"] for row in rows]))}, {"overhead": rows})


async def _timed_training(studio: Studio, person: Person) -> float:
    begun = time.monotonic()
    await studio.client.train(await studio.subject(person))
    return time.monotonic() - begun
