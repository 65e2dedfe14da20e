"""Six shoots, undisturbed: whether the guarantee was met, what it took, and whether the best come first."""

from __future__ import annotations

from collections import Counter

import numpy as np

from benchmarks.report import Measured
from benchmarks.shoot.judging import OtherNet
from benchmarks.shoot.people import Person
from benchmarks.shoot.report import Say, Scale
from benchmarks.shoot.studio import Done, Studio
from headshots.client import Acceptance, Guarantee

_BEST = 10


async def run(studio: Studio, people: list[Person], scale: Scale, say: Say) -> Measured:
    """One after the other, each alone on the machine."""
    net, rows = OtherNet(), []
    for person in people:
        done = await studio.shoot(person, scale.count, f"undisturbed-{person.number}")
        studio.done[person.name] = done
        done.shoot.raise_for_state()
        row = {"person": person.name, **_told(done), **await _ranking(studio, person, done, net)}
        rows.append(row)
        say(f"{person.name}: {row['guarantee']}, {row['tries']} tries, {done.seconds:.0f} s")
    delivered = sum(row["delivered"] for row in rows)
    missed = [row["quote_missed_by"] for row in rows if row["quote_missed_by"] is not None]
    figures: dict[str, float] = {
        "guarantee_met_share": float(np.mean([row["guarantee"] == str(Guarantee.MET) for row in rows])),
        "tries_per_accepted": sum(row["tries"] for row in rows) / max(delivered, 1),
        "top10_gain": float(np.mean([row["top10_gain"] for row in rows])),
    }
    if scale.count >= _BEST:
        figures["top10_variety"] = min(row["top10_styles"] for row in rows)
    if missed:
        figures["quote_missed_by"] = max(missed)
    return Measured(figures, {"shoots": rows})


def _told(done: Done) -> dict[str, object]:
    """What the shoot says of itself, and its quote against what it took."""
    shoot, quote = done.shoot, done.shoot.quote
    refused: Counter[str] = Counter(
        check.reason
        for image in done.images
        if image.verdict is not None
        for check in image.verdict.checks
        if not check.passed
    )
    expected = quote.expected_finish_time if quote is not None else None
    expected_seconds = (expected - shoot.create_time).total_seconds() if expected is not None else None
    return {
        "asked": shoot.asked,
        "delivered": shoot.delivered,
        "tries": shoot.tries,
        "guarantee": str(shoot.guarantee),
        "refused_for": dict(refused),
        "seconds": round(done.seconds, 1),
        "quoted_seconds": expected_seconds,
        "quote_missed_by": abs(done.seconds - expected_seconds) / done.seconds if expected_seconds else None,
    }


async def _ranking(studio: Studio, person: Person, done: Done, net: OtherNet) -> dict[str, float]:
    accepted = [
        image for image in done.images if image.verdict is not None and image.verdict.acceptance is Acceptance.ACCEPTED
    ]
    likeness = net.likeness(person, [await studio.pixels(image) for image in accepted])
    best = accepted[:_BEST]
    return {
        "likeness": float(likeness.mean()),
        "own_likeness": net.own_likeness(person),
        "top10_gain": float(likeness[:_BEST].mean() - likeness.mean()),
        "top10_styles": len({image.style for image in best}),
    }
