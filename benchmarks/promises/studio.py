"""Runs the three services, and makes people in it of whom everything is known that is stored of them."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.faults.world import client_of, database_of, small_platform
from benchmarks.promises.witness import Witness
from headshots.client import AsyncHeadshots, Consent, Labelling, PaintedImage, Subject, TrainingOptions
from headshots.database import database_now, read, write
from headshots.schema import retentions, subjects
from tests.support.live_platform import LivePlatform, selfies

SWEEP_SECONDS = 1.0
"""Between two looks of the gateway for erasures, and of generators for tombstones."""
_TENANT = "acme"
_STYLES = ("studio-navy-suit", "park-denim-jacket")
_SHORT = TrainingOptions(steps=6, rank=4, batch_rows=2)
_LONG = TrainingOptions(steps=4000, rank=4, batch_rows=2)
_STEPS_BEFORE, _SHOTS_PER_STYLE = 40, 40


@dataclass
class Person:
    """Somebody who was photographed, and all that is known to be theirs."""

    number: int
    subject: Subject
    witness: Witness
    sent: list[bytes]
    """What their caller sent, and got."""

    @property
    def secrets(self) -> list[bytes]:
        """What was sent, and what services made of it."""
        return self.sent + self.witness.contents


class Studio:
    """The three services as processes, and a client of one tenant."""

    def __init__(self, platform: LivePlatform, client: AsyncHeadshots, folder: Path) -> None:
        self.platform = platform
        self.client = client
        self.folder = folder
        """With all that services write."""

    async def photographed(self, number: int) -> Person:
        """A new person with a name, a label, a consent and photos."""
        chance = random.Random(number)
        name, label, form = (f"{word} {chance.getrandbits(128):032x}" for word in ("Name", "Label", "Form"))
        consent = Consent("Portraits of me may be made.", reference=form)
        subject = await self.client.create_subject(name, consent=consent, labelling=Labelling({"of": label}))
        witness = Witness(self.platform.object(f"tenants/{_TENANT}/{subject.name}"))
        photos = selfies(number)
        await self.client.upload_photos(subject, photos)
        return Person(number, subject, witness, [name.encode(), label.encode(), form.encode(), *photos])

    async def portray(self, person: Person) -> None:
        """Trains and paints them."""
        await self.client.train(person.subject, _SHORT)
        async for image in self.client.generate(person.subject, _STYLES):
            person.sent.append(image.content)

    async def begin_training(self, person: Person) -> None:
        """Portrays them, and leaves another training running that has written checkpoints."""
        await self.portray(person)
        training = await self.client.create_training(person.subject, _LONG)
        async with aclosing(self.client.watch_training(training)) as states:
            async for state in states:
                if state.step >= _STEPS_BEFORE:
                    return

    async def begin_painting(self, person: Person) -> None:
        """Trains them, and leaves a gallery running that has its first image."""
        await self.client.train(person.subject, _SHORT)
        gallery = await self.client.create_gallery(person.subject, _STYLES, shots_per_style=_SHOTS_PER_STYLE)
        async with aclosing(self.client.watch_gallery(gallery)) as events:
            async for event in events:
                if isinstance(event, PaintedImage):
                    return

    def row(self, person: Person) -> sa.Row[Any] | None:
        """The subject's row; None once its erasure is complete."""
        with database_of(self.platform) as database, read(database) as connection:
            return connection.execute(sa.select(subjects).where(subjects.c.id == _id(person))).first()

    def let_expire(self, person: Person) -> None:
        """Their time is over now."""
        with database_of(self.platform) as database, write(database) as connection:
            past, mine = database_now(connection) - 1.0, retentions.c.id == _id(person)
            connection.execute(sa.update(retentions).where(mine).values(expires_at=past))


@asynccontextmanager
async def open_studio(folder: Path) -> AsyncIterator[Studio]:
    """Services with all their files in ``folder``, temporary ones and logs included."""
    temporary = folder / "tmp"
    temporary.mkdir()
    environment = {
        "TMPDIR": str(temporary),
        "HEADSHOTS_GATEWAY_ERASE_AGAIN_SECONDS": str(SWEEP_SECONDS),
        "HEADSHOTS_GENERATOR_READ_ERASURES_SECONDS": str(SWEEP_SECONDS),
    }
    with small_platform(folder, environment) as platform:
        async with client_of(platform, _TENANT) as client:
            yield Studio(platform, client, folder)


def _id(person: Person) -> str:
    return person.subject.name.rpartition("/")[2]
