"""What the gate lets pass and what it stops: portraits of a sibling, and true pictures of the person."""

from __future__ import annotations

from benchmarks.report import Measured
from benchmarks.shoot.judging import Passed, through_the_gate
from benchmarks.shoot.people import Person, shared, siblings
from benchmarks.shoot.report import STYLES, Say, Scale
from benchmarks.shoot.studio import Studio


async def false_accepts(studio: Studio, people: list[Person], scale: Scale, say: Say) -> Measured:
    """Portraits by the adapters of siblings, each before the gate of the person."""
    total, rows = Passed(), []
    pairs = zip(people, siblings(people[: scale.siblings]), strict=False)
    for person, other in pairs:
        subject = await studio.subject(other)
        await studio.client.train(subject)
        shots = studio.client.generate(subject, STYLES, shots_per_style=scale.sibling_shots, seed=1)
        pictures = [await studio.pixels(shot.image) async for shot in shots]
        found = through_the_gate(person, pictures)
        total.add(found)
        rows.append(
            {
                "person": person.name,
                "shared_parameters": round(shared(person.identity, other.identity), 2),
                "pictures": found.pictures,
                "accepted": found.accepted,
                "refused_for": dict(found.refused_for or {}),
            }
        )
        say(f"{other.name}: {found.accepted} of {found.pictures} pass")
    return Measured({"false_accept": total.accepted_share}, {"false_accept": rows})


async def false_refusals(studio: Studio, people: list[Person], scale: Scale, say: Say) -> Measured:
    """True pictures in the styles' scenes, before the person's own gate."""
    total, rows = Passed(), []
    for person in people:
        found = through_the_gate(person, person.in_scenes(scale.true_pictures))
        total.add(found)
        rows.append(
            {"person": person.name, "accepted": found.accepted_share, "refused_for": dict(found.refused_for or {})}
        )
    say(f"{total.pictures - total.accepted} of {total.pictures} true pictures are refused")
    return Measured({"false_refuse": 1 - total.accepted_share}, {"false_refuse": rows})
