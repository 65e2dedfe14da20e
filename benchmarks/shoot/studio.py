"""Runs the three services on the bundled foundation, and orders from them as a customer's backend does."""

from __future__ import annotations

import asyncio
import contextlib
import io
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image as Picture

from benchmarks.faults.world import client_of
from benchmarks.shoot.people import Person, Pixels
from benchmarks.shoot.report import STYLES
from headshots.client import AsyncHeadshots, Image, ImageOrder, Shoot, ShootOptions, Subject
from headshots.diffusion.export.ensure import ExportOptions, ensure_package_in_child
from headshots.errors import CancelledByCallerError, ResourceExhaustedError, UnavailableError
from headshots.settings import default_faces, default_foundation
from tests.support.consents import CONSENT
from tests.support.live_platform import LivePlatform

R = TypeVar("R")

TENANT = "acme"
POLL_SECONDS = 0.2
# Of the embedded defaults: what a user gets who sets nothing.
_DEFAULTS = {
    "HEADSHOTS_TRAINER_LEASE_SECONDS": "",
    "HEADSHOTS_TRAINER_CHECKPOINT_SECONDS": "",
    "HEADSHOTS_TRAINER_RETRY_SECONDS": "",
    "HEADSHOTS_GATEWAY_SHOT_LEASE_SECONDS": "",
}


@dataclass(frozen=True)
class Done:
    """A shoot that has ended, as its customer saw it."""

    shoot: Shoot
    images: list[Image]
    """The best first."""
    seconds: float
    """From the order to the end."""


@dataclass
class Studio:
    """Services, a client, and what was made for whom."""

    platform: LivePlatform
    client: AsyncHeadshots
    subjects: dict[str, Subject] = field(default_factory=dict)
    """By the person's name."""
    done: dict[str, Done] = field(default_factory=dict)
    """The undisturbed shoot of each person, by name."""

    async def subject(self, person: Person) -> Subject:
        """The person's subject, with the selfies."""
        if person.name not in self.subjects:
            subject = await self.client.create_subject(person.name, class_noun=person.noun, consent=CONSENT)
            await self.client.upload_photos(subject, person.selfies())
            self.subjects[person.name] = subject
        return self.subjects[person.name]

    async def shoot(self, person: Person, count: int, request_id: str) -> Done:
        """Orders a shoot that trains anew, and waits for its end."""
        subject, begun = await self.subject(person), time.monotonic()
        made = await insist(
            partial(
                self.client.create_shoot,
                subject,
                styles=STYLES,
                count=count,
                options=ShootOptions(retrain=True, seed=1),
                request_id=request_id,
            )
        )
        while not made.state.terminal:
            await asyncio.sleep(POLL_SECONDS)
            made = await insist(partial(self.client.get_shoot, made.name))
        seconds = time.monotonic() - begun
        images = [each async for each in self.client.list_images(made.gallery, order=ImageOrder.RANK)]
        return Done(made, images, seconds)

    async def pixels(self, image: Image) -> Pixels:
        """The picture of an image."""
        return decoded((await self.client.get_image(image)).content)


def decoded(content: bytes) -> Pixels:
    """uint8 [H, W, 3] of an image file."""
    with Picture.open(io.BytesIO(content)) as picture:
        return np.asarray(picture.convert("RGB"))


async def insist(call: Callable[[], Awaitable[R]]) -> R:
    """The answer, however often it has to be asked for while services are away."""
    while True:
        try:
            return await call()
        except (UnavailableError, ResourceExhaustedError, CancelledByCallerError):
            await asyncio.sleep(POLL_SECONDS)


@contextlib.asynccontextmanager
async def open_studio(folder: Path, engines: Path) -> AsyncIterator[Studio]:
    """Exports where there is no package yet, starts, and stops."""
    foundation = default_foundation()
    package = await asyncio.to_thread(ensure_package_in_child, foundation, engines, ExportOptions())
    faces = default_faces(foundation)
    environment = {**_DEFAULTS, "HEADSHOTS_GATEWAY_FACES": faces, "HEADSHOTS_TRAINER_FACES": faces}
    environment["HEADSHOTS_GENERATOR_FACES"] = faces
    with LivePlatform(folder / "home", foundation, package, environment) as platform:
        async with client_of(platform, TENANT) as client:
            yield Studio(platform, client)
