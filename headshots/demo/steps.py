"""Runs the stages of the demo through the SDK, as a customer's backend would."""

from __future__ import annotations

import asyncio
import os
import platform
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from headshots.client import AsyncHeadshots, Gallery, PaintedImage, PhotosInspection, Style, Subject, Training
from headshots.console.following import training_detail
from headshots.demo.choices import DRAWN_ONLY, choose_styles, is_bundled, reservations
from headshots.demo.display import Display, StageDisplay
from headshots.demo.memory import MemoryWatch
from headshots.demo.options import DemoOptions
from headshots.demo.people import Person, from_folder, sample_person
from headshots.demo.results.album import Album, LeftOut, StyleGroup
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
                subject = await client.create_subject(person.name, class_noun=person.class_noun)
                await client.upload_photos(subject, person.photos)
                self.uploaded = len(person.photos)
                shown.update(1, 1, count=str(len(person.photos)))
            with self._display.stage("train", "Training") as shown:
                training = await _train(client, subject, shown)
            with self._display.stage("paint", "Painting the gallery") as shown:
                groups = await self._paint(client, subject, styles, chosen, shown)
        return await asyncio.to_thread(self._collect, person, inspection, training, groups)

    async def _paint(
        self,
        client: AsyncHeadshots,
        subject: Subject,
        styles: Sequence[Style],
        chosen: Sequence[str],
        shown: StageDisplay,
    ) -> list[StyleGroup]:
        gallery = await client.create_gallery(
            subject,
            chosen,
            shots_per_style=self._options.shots_per_style,
            seed=self._options.seed,
        )
        shots: list[PaintedImage] = []
        async for event in client.watch_gallery(gallery, include_content=True):
            if isinstance(event, PaintedImage):
                shots.append(event)
            elif isinstance(event, Gallery):
                event.raise_for_state()
                gallery = event
            count = f"{len(shots)}/{gallery.total_shots}"
            shown.update(len(shots), gallery.total_shots, count=count, detail=gallery.status_message)
        return group_shots(gallery, styles, shots)

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
        self, person: Person, inspection: PhotosInspection, training: Training, groups: Sequence[StyleGroup]
    ) -> Album:
        stages = list(self._display.stages)
        paint_seconds = next(stage.seconds for stage in stages if stage.name == "paint")
        images = [shot.image for group in groups for shot in group.shots]
        judged = [image.likeness for image in images if image.likeness is not None]
        return Album(
            person=person.name,
            foundation=self._options.foundation_folder.name,
            selfies=[decode_photo(path.read_bytes(), SHOWN_SELFIE).png for path in person.photos],
            left_out=self.left_out,
            analyzer=inspection.analyzer,
            training=training,
            groups=groups,
            stages=stages,
            seconds_per_image=paint_seconds / len(images),
            peak_rss_mb=self._memory.peak_mb,
            # The mean only where every portrait was judged: a mean over some would flatter.
            likeness=sum(judged) / len(judged) if len(judged) == len(images) else training.likeness,
            made_on=f"{date.today():%d %B %Y}, {os.cpu_count()} CPUs, {platform.system()} {platform.machine()}",
        )


async def _train(client: AsyncHeadshots, subject: Subject, shown: StageDisplay) -> Training:
    def show(training: Training) -> None:
        count = f"{training.step}/{training.total_steps}" if training.total_steps else ""
        shown.update(training.step, training.total_steps or None, count=count, detail=training_detail(training))

    return await client.train(subject, on_progress=show)


def group_shots(gallery: Gallery, library: Sequence[Style], shots: Sequence[PaintedImage]) -> list[StyleGroup]:
    """The shots by style, in the gallery's order, and by seed."""
    by_name = {style.name: style for style in library}
    ordered = sorted(shots, key=lambda shot: shot.image.seed)
    return [
        StyleGroup(by_name[name], [shot for shot in ordered if shot.image.style == name]) for name in gallery.styles
    ]
