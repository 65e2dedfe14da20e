"""Runs the stages of the demo through the SDK, as a customer's backend would."""

from __future__ import annotations

import asyncio
import os
import platform
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from headshots.client import AsyncHeadshots, Consent, PhotosInspection, Shoot, Subject, Training
from headshots.demo.choices import DRAWN_ONLY, choose_styles, is_bundled, reservations
from headshots.demo.display import Display
from headshots.demo.memory import MemoryWatch
from headshots.demo.options import DemoOptions
from headshots.demo.orders.remix import order_remix
from headshots.demo.orders.shoot import fetch_portraits, order_shoot
from headshots.demo.orders.team import BUNDLED_STEPS, check_look, frame_within, order_team, train_colleagues
from headshots.demo.people import Person, from_folder, sample_person
from headshots.demo.results.album import Album, LeftOut, Missing, OneLook, Portrait, Remixed
from headshots.demo.services import DemoServices
from headshots.diffusion.foundations.foundation import Foundation
from headshots.errors import HeadshotsError, InvalidPhotoError
from headshots.imaging import PhotoLimits, decode_photo

SHOWN_SELFIE = PhotoLimits(max_side_px=640)
ONE_PERSON = Missing("ONE_PERSON", "a team takes several people, and these photos are of one")
NOT_REACHED = Missing("NOT_REACHED", "the run was stopped before it was there")
COLLEAGUES = 2
OTHERS = "colleagues"
"""Folder of their selfies, within that of the results."""

ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class Delivered:
    """What the shoot left: enough for the page, without remix and team."""

    person: Person
    inspection: PhotosInspection
    subject: Subject
    training: Training
    shoot: Shoot
    portraits: Sequence[Portrait]


class DemoRun:
    """One run."""

    def __init__(
        self, options: DemoOptions, out: Path, services: DemoServices, display: Display, memory: MemoryWatch
    ) -> None:
        self._options = options
        self._out = out
        self._services = services
        self._display = display
        self._memory = memory
        self.uploaded = 0
        """Photos that the training got."""
        self.left_out: list[LeftOut] = []
        self._delivered: Delivered | None = None
        self._remix: Remixed | Missing = NOT_REACHED
        self._team: OneLook | Missing = NOT_REACHED

    async def album(self, package_is_there: bool) -> Album:
        """Run all stages.

        Raises:
            ServicesFailedError: the export failed, or a service died or did not get ready.
            HeadshotsError: what the gateway refused, or why a job failed.
        """
        with self._display.stage("selfies", "Collecting selfies") as shown:
            person = await asyncio.to_thread(self._person)
            shown.update(1, 1, count=str(len(person.photos)))
        if not package_is_there:
            with self._display.stage("export", "Exporting the engine") as shown:
                await self._services.export(
                    lambda stage, share: shown.update(share, 1.0, count=f"{100 * share:.0f} %", detail=stage)
                )
        with self._display.stage("start", "Starting services") as shown:
            await self._services.start(lambda ready: shown.update(ready, 3, count=f"{ready}/3"))
        self._delivered = delivered = await self._while_services_live(self._deliver(person))
        # Neither may cost the gallery, whatever is refused or dies, or who stops it.
        self._remix = await self._attempt("remix", self._order_remix(delivered))
        is_drawn = self._options.photos is None
        self._team = await self._attempt("team", self._order_team(delivered)) if is_drawn else ONE_PERSON
        return await asyncio.to_thread(self._collect, delivered)

    def finished(self) -> Album | None:
        """What a run that was stopped has finished; None before its portraits were there."""
        return self._collect(self._delivered) if self._delivered is not None else None

    async def _attempt(self, name: str, work: Coroutine[Any, Any, ResultT]) -> ResultT | Missing:
        """What it makes, or why it could not."""
        try:
            return await self._while_services_live(work)
        except HeadshotsError as error:
            missing = Missing(error.reason, error.message)
            self._display.say(f"there is no {name}: {missing}")
            return missing

    def _person(self) -> Person:
        if self._options.photos is not None:
            for reservation in reservations(self._options.foundation_folder, self._options.class_noun):
                self._display.say(reservation)
            return from_folder(self._options.photos, self._options.class_noun)
        return sample_person(self._options.person, self._out / "selfies")

    async def _while_services_live(self, work: Coroutine[Any, Any, ResultT]) -> ResultT:
        """What it makes; broken off at once when a service dies, for then nobody would ever finish it."""
        job, watch = asyncio.create_task(work), asyncio.create_task(self._services.watch())
        try:
            await asyncio.wait((job, watch), return_when=asyncio.FIRST_COMPLETED)
            if watch.done():
                watch.result()
            return await job
        finally:
            job.cancel()
            watch.cancel()
            await asyncio.gather(job, watch, return_exceptions=True)

    def _client(self) -> AsyncHeadshots:
        return AsyncHeadshots(self._services.gateway, self._services.api_key_file.read_text().strip())

    async def _deliver(self, person: Person) -> Delivered:
        async with self._client() as client:
            styles = [style async for style in client.list_styles()]
            # One that is not there is told now, not after the training.
            chosen = choose_styles(styles, self._options.styles)
            with self._display.stage("inspect", "Inspecting selfies") as shown:
                inspection = await client.inspect_photos(photos=person.photos)
                shown.update(1, 1, count=f"{inspection.usable_count}/{len(inspection.photos)}")
            person = self._fit_to_train(person, inspection)
            with self._display.stage("upload", "Uploading selfies") as shown:
                agreed = Consent(person.statement, reference="headshots demo")
                subject = await client.create_subject(person.name, class_noun=person.class_noun, consent=agreed)
                await client.upload_photos(subject, person.photos)
                self.uploaded = len(person.photos)
                shown.update(1, 1, count=str(len(person.photos)))
            count = len(chosen) * self._options.shots_per_style
            order = {"count": count, "seed": self._options.seed}
            shoot = await order_shoot(client, subject, chosen, **order, display=self._display)
            with self._display.stage("fetch", "Fetching portraits") as shown:
                portraits = await fetch_portraits(client, shoot, styles, shown)
            training = await client.get_training(shoot.training)
        return Delivered(person, inspection, subject, training, shoot, portraits)

    async def _order_remix(self, delivered: Delivered) -> Remixed:
        async with self._client() as client:
            return await order_remix(client, delivered.portraits, self._display)

    async def _order_team(self, delivered: Delivered) -> OneLook:
        """In the first style of the gallery."""
        foundation = Foundation.read(self._options.foundation_folder)
        frame = frame_within(foundation)
        style = delivered.shoot.styles[0]
        steps = BUNDLED_STEPS if is_bundled(self._options.foundation_folder) else None
        async with self._client() as client:
            look = await check_look(client, delivered.subject, style, frame)
            people = await asyncio.to_thread(self._colleagues)
            others = await train_colleagues(client, people, steps, self._display)
            label = next(each.label for each in delivered.portraits if each.style.name == style)
            return await order_team(client, look, [delivered.subject, *others], label, self._display)

    def _colleagues(self) -> list[Person]:
        """The sample people after the demo's."""
        first = self._options.person + 1
        return [sample_person(each, self._out / OTHERS / str(each)) for each in range(first, first + COLLEAGUES)]

    def _fit_to_train(self, person: Person, inspection: PhotosInspection) -> Person:
        """The person with the usable photos only; tells of those left out, and of what else the set lacks.

        Too few are an error, as for any backend that asks before it trains; that they are much alike is said, no more.

        Raises:
            InvalidPhotoError: PHOTOS_NOT_READY.
        """
        self.left_out = [
            LeftOut(photo.filename, photo.findings[0].reason) for photo in inspection.photos if not photo.usable
        ]
        for photo in inspection.photos:
            for finding in photo.findings:
                self._display.say(f"{photo.filename} is left out: {finding.message}")
        for finding in inspection.findings:
            if finding.reason == "TOO_FEW":
                raise InvalidPhotoError("PHOTOS_NOT_READY", f"{finding.message}{self._why_perhaps()}")
            self._display.say(finding.message)
        if not inspection.faces_checked:
            self._display.say("no face analyzer: nobody looks for faces, and likeness is not measured")
        pairs = zip(person.photos, inspection.photos, strict=True)
        return replace(person, photos=[path for path, photo in pairs if photo.usable])

    def _why_perhaps(self) -> str:
        """What the reasons for leaving photos out may come from."""
        is_drawn_only = self._options.photos is not None and is_bundled(self._options.foundation_folder)
        return f". Note that {DRAWN_ONLY}" if is_drawn_only else ""

    def _collect(self, delivered: Delivered) -> Album:
        stages = list(self._display.stages)
        paint_seconds = next(stage.seconds for stage in stages if stage.name == "paint")
        images = [each.painted.image for each in delivered.portraits]
        judged = [image.likeness for image in images if image.likeness is not None]
        return Album(
            person=delivered.person.name,
            foundation=self._options.foundation_shown,
            library=self._options.library_shown,
            selfies=[decode_photo(path.read_bytes(), SHOWN_SELFIE).png for path in delivered.person.photos],
            left_out=self.left_out,
            analyzer=delivered.inspection.analyzer,
            training=delivered.training,
            shoot=delivered.shoot,
            portraits=delivered.portraits,
            stages=stages,
            seconds_per_image=paint_seconds / len(images),
            peak_rss_mb=self._memory.peak_mb,
            # The mean only where every portrait was judged: a mean over some would flatter.
            likeness=sum(judged) / len(judged) if len(judged) == len(images) else delivered.training.likeness,
            made_on=f"{date.today():%d %B %Y}, {os.cpu_count()} CPUs, {platform.system()} {platform.machine()}",
            remix=self._remix,
            team=self._team,
        )
