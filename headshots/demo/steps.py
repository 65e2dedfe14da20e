"""Runs the stages of the demo through the SDK, as a customer's backend would."""

from __future__ import annotations

import asyncio
import os
import platform
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from headshots.client import (
    AsyncHeadshots,
    Consent,
    ImageOrder,
    PhotosInspection,
    Shoot,
    ShootEvent,
    ShootOptions,
    ShootStage,
    Style,
    Subject,
    Training,
)
from headshots.console.following import running_words
from headshots.console.output import progress
from headshots.demo.choices import DRAWN_ONLY, choose_styles, is_bundled, reservations
from headshots.demo.display import Display, StageDisplay
from headshots.demo.memory import MemoryWatch
from headshots.demo.options import DemoOptions
from headshots.demo.people import Person, from_folder, sample_person
from headshots.demo.results.album import Album, LeftOut, Portrait
from headshots.demo.services import DemoServices
from headshots.errors import InvalidPhotoError
from headshots.imaging import PhotoLimits, decode_photo

SHOWN_SELFIE = PhotoLimits(max_side_px=640)


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
        return await self._while_services_live(person)

    def _person(self) -> Person:
        if self._options.photos is not None:
            for reservation in reservations(self._options.foundation_folder, self._options.class_noun):
                self._display.say(reservation)
            return from_folder(self._options.photos, self._options.class_noun)
        return sample_person(self._options.person, self._out / "selfies")

    async def _while_services_live(self, person: Person) -> Album:
        """The job; broken off at once when a service dies, for then nobody would ever finish it."""
        job, watch = asyncio.create_task(self._job(person)), asyncio.create_task(self._services.watch())
        try:
            await asyncio.wait((job, watch), return_when=asyncio.FIRST_COMPLETED)
            if watch.done():
                watch.result()
            return await job
        finally:
            job.cancel()
            watch.cancel()
            await asyncio.gather(job, watch, return_exceptions=True)

    async def _job(self, person: Person) -> Album:
        key = self._services.api_key_file.read_text().strip()
        async with AsyncHeadshots(self._services.gateway, key) as client:
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
            shoot = await self._shoot(client, subject, chosen)
            with self._display.stage("fetch", "Fetching portraits") as shown:
                portraits = await _fetch(client, shoot, styles, shown)
            training = await client.get_training(shoot.training)
        return await asyncio.to_thread(self._collect, person, inspection, training, shoot, portraits)

    async def _shoot(self, client: AsyncHeadshots, subject: Subject, chosen: Sequence[str]) -> Shoot:
        """One order; its training and its painting are shown as stages."""
        count = len(chosen) * self._options.shots_per_style
        options = ShootOptions(seed=self._options.seed)
        now = await client.create_shoot(subject, styles=chosen, count=count, options=options)
        events = client.watch_shoot(now)
        with self._display.stage("train", "Training") as shown:
            async for event in events:
                now = _checked(event)
                done, total = now.training_step, now.training_total_steps
                detail = now.status_message or _training_words(now)
                shown.update(done, total or None, count=progress(done, total), detail=detail)
                if now.stage is not ShootStage.TRAINING:
                    break
        with self._display.stage("paint", "Painting and judging") as shown:
            async for event in events:
                now = _checked(event)
                done, total = now.completed_shots, now.asked
                detail = now.status_message or f"{now.delivered} accepted, {now.tries} tried"
                shown.update(done, total, count=progress(done, total), detail=detail)
        return now

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

    def _collect(
        self,
        person: Person,
        inspection: PhotosInspection,
        training: Training,
        shoot: Shoot,
        portraits: Sequence[Portrait],
    ) -> Album:
        stages = list(self._display.stages)
        paint_seconds = next(stage.seconds for stage in stages if stage.name == "paint")
        images = [each.painted.image for each in portraits]
        judged = [image.likeness for image in images if image.likeness is not None]
        return Album(
            person=person.name,
            foundation=self._options.foundation_shown,
            library=self._options.library_shown,
            selfies=[decode_photo(path.read_bytes(), SHOWN_SELFIE).png for path in person.photos],
            left_out=self.left_out,
            analyzer=inspection.analyzer,
            training=training,
            shoot=shoot,
            portraits=portraits,
            stages=stages,
            seconds_per_image=paint_seconds / len(images),
            peak_rss_mb=self._memory.peak_mb,
            # The mean only where every portrait was judged: a mean over some would flatter.
            likeness=sum(judged) / len(judged) if len(judged) == len(images) else training.likeness,
            made_on=f"{date.today():%d %B %Y}, {os.cpu_count()} CPUs, {platform.system()} {platform.machine()}",
        )


def _training_words(now: Shoot) -> str:
    """What its training does; empty where it does not run."""
    if now.training_progress is None:
        return now.training_phase_message
    return running_words(now.training_progress, now.training_phase_message, eta_seconds=now.training_eta_seconds)


def _checked(event: ShootEvent) -> Shoot:
    event.shoot.raise_for_state()
    return event.shoot


async def _fetch(client: AsyncHeadshots, shoot: Shoot, library: Sequence[Style], shown: StageDisplay) -> list[Portrait]:
    """The portraits, best first."""
    by_name = {style.name: style for style in library}
    portraits: list[Portrait] = []
    async for image in client.list_images(shoot.gallery, order=ImageOrder.RANK):
        painted = await client.get_image(image)
        # The call for one image tells no rank.
        portraits.append(Portrait(replace(painted, image=image), by_name[image.style]))
        shown.update(len(portraits), shoot.asked, count=progress(len(portraits), shoot.asked))
    return portraits
