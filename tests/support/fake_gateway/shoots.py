"""Answers the calls about shoots, which advance while they are watched."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import time
from collections.abc import AsyncIterator
from typing import Any

from headshots.errors import FailedPreconditionError, InvalidArgumentError, UnavailableError
from headshots.v1 import galleries_pb2, images_pb2, jobs_pb2, shoots_pb2, trainings_pb2
from tests.support.fake_gateway.packs import PACK
from tests.support.fake_gateway.pictures import painted_png
from tests.support.fake_gateway.state import FakeState, find, labelled, page
from tests.support.fake_gateway.subjects import check_consent
from tests.support.fake_gateway.trainings import ADAPTER, STEPS

ENDED = (jobs_pb2.JOB_STATE_SUCCEEDED, jobs_pb2.JOB_STATE_FAILED, jobs_pb2.JOB_STATE_CANCELLED)
MEASURED_ON = 7


class FakeShoots(FakeState):
    """Shoots, as the events that each has had."""

    ordered_at: float | None = None
    """When orders come, in seconds since the epoch; None: now."""

    async def CreateShoot(self, request: shoots_pb2.CreateShootRequest, context: Any) -> shoots_pb2.CreateShootResponse:
        self.enter("CreateShoot", request)
        subject = find(self.subjects, request.parent, "SUBJECT_NOT_FOUND")
        if bool(request.pack) == bool(request.styles):
            raise InvalidArgumentError("PACK_OR_STYLES", "name a pack or styles, and not both")
        if request.pack:
            find({PACK.name: PACK}, request.pack, "PACK_NOT_FOUND")
        if self.requires_consent:
            check_consent(subject)
        if request.HasField("deadline") and request.deadline.ToMilliseconds() < 2_000_000_000_000:
            raise FailedPreconditionError("DEADLINE_TOO_EARLY", "half of such shoots would be finished after it")
        trains = request.retrain or bool(request.photos) or not subject.HasField("adapter")
        if trains and len(self.photos[request.parent]) < 6:
            raise FailedPreconditionError("TOO_FEW_PHOTOS", "a training needs 6 usable photos; upload more")
        if trains and self.one_training_at_a_time:
            self._refuse_second_training(request.parent)
        shoot = _made(request, f"{request.parent}/shoots/o{len(self.shoots)}", trains, self.ordered_at or time.time())
        if not self.quotes:
            shoot.quote.ClearField("expected_finish_time")
            shoot.quote.ClearField("latest_finish_time")
        if not request.validate_only:
            name = self.by_request_id.setdefault(request.request_id, shoot.name)
            shoot = self.shoots.setdefault(name, [shoots_pb2.WatchShootResponse(shoot=shoot)])[-1].shoot
        return shoots_pb2.CreateShootResponse(shoot=shoot)

    async def GetShoot(self, request: shoots_pb2.GetShootRequest, context: Any) -> shoots_pb2.GetShootResponse:
        self.enter("GetShoot", request)
        return shoots_pb2.GetShootResponse(shoot=find(self.shoots, request.name, "SHOOT_NOT_FOUND")[-1].shoot)

    async def ListShoots(self, request: shoots_pb2.ListShootsRequest, context: Any) -> shoots_pb2.ListShootsResponse:
        self.enter("ListShoots", request)
        mine = [events[-1].shoot for name, events in self.shoots.items() if name.startswith(f"{request.parent}/")]
        items, token = page(mine[::-1], request)
        return shoots_pb2.ListShootsResponse(shoots=items, next_page_token=token)

    async def WatchShoot(
        self, request: shoots_pb2.WatchShootRequest, context: Any
    ) -> AsyncIterator[shoots_pb2.WatchShootResponse]:
        self.enter("WatchShoot", request)
        events = find(self.shoots, request.name, "SHOOT_NOT_FOUND")
        cut = self.cut_after.pop(0) if self.cut_after else None
        first = request.after_event if request.HasField("after_event") else len(events) - 1
        for number in itertools.count(first):
            if cut is not None and number - first == cut:
                raise UnavailableError("GATEWAY_STOPPING", "the gateway is stopping")
            if number == len(events):
                if events[-1].shoot.state in ENDED:
                    return
                self._advance_shoot(events)
            yield events[number]
            while self.hold_watches:
                self.held.set()
                await asyncio.sleep(0.02)

    async def CancelShoot(self, request: shoots_pb2.CancelShootRequest, context: Any) -> shoots_pb2.CancelShootResponse:
        self.enter("CancelShoot", request)
        events = find(self.shoots, request.name, "SHOOT_NOT_FOUND")
        if events[-1].shoot.state not in ENDED:
            self._next(events).shoot.state = jobs_pb2.JOB_STATE_CANCELLED
        return shoots_pb2.CancelShootResponse(shoot=events[-1].shoot)

    def _refuse_second_training(self, subject: str) -> None:
        for name, events in self.shoots.items():
            now = events[-1].shoot
            if name.startswith(f"{subject}/") and now.trains and now.state not in ENDED:
                told = f"{now.training} has not ended; wait for it or cancel it"
                raise FailedPreconditionError("TRAINING_ACTIVE", told, metadata={"name": now.training})

    def _next(self, events: list[shoots_pb2.WatchShootResponse]) -> shoots_pb2.WatchShootResponse:
        event = shoots_pb2.WatchShootResponse(shoot=events[-1].shoot)
        event.shoot.event_number += 1
        events.append(event)
        return event

    def _advance_shoot(self, events: list[shoots_pb2.WatchShootResponse]) -> None:
        event = self._next(events)
        shoot = event.shoot
        shoot.state = jobs_pb2.JOB_STATE_RUNNING
        if self.training_failure is not None and shoot.training_step:
            shoot.state = jobs_pb2.JOB_STATE_FAILED
            shoot.failure.CopyFrom(self.training_failure)
        elif shoot.stage == shoots_pb2.SHOOT_STAGE_TRAINING and shoot.training_step < STEPS:
            shoot.training_step, shoot.training_total_steps = shoot.training_step + 5, STEPS
            now = shoot.training_progress
            now.phase, now.done, now.total = trainings_pb2.TRAINING_PHASE_TRAINING, shoot.training_step, STEPS
            shoot.training_eta.FromMilliseconds(100 * (STEPS - shoot.training_step))
        elif not shoot.gallery:
            self._begin_painting(shoot)
        elif shoot.completed_shots < shoot.asked:
            self._paint_shot(event)
        else:
            self._end(shoot)

    def _begin_painting(self, shoot: shoots_pb2.Shoot) -> None:
        shoot.ClearField("training_progress")
        shoot.ClearField("training_eta")
        subject = shoot.name.partition("/shoots/")[0]
        self.subjects[subject].adapter.CopyFrom(ADAPTER)
        trained = trainings_pb2.Training(
            name=shoot.training, state=jobs_pb2.JOB_STATE_SUCCEEDED, step=STEPS, total_steps=STEPS, adapter=ADAPTER
        )
        self.trainings.setdefault(shoot.training, trained)
        gallery = galleries_pb2.Gallery(
            name=f"{subject}/galleries/g{len(self.galleries)}",
            state=jobs_pb2.JOB_STATE_RUNNING,
            styles=shoot.styles,
            style_shots=shoot.style_shots,
            total_shots=shoot.asked,
            max_tries=shoot.max_tries,
        )
        self.galleries[gallery.name] = gallery
        shoot.gallery, shoot.stage = gallery.name, shoots_pb2.SHOOT_STAGE_PAINTING

    def _paint_shot(self, event: shoots_pb2.WatchShootResponse) -> None:
        shoot = event.shoot
        gallery = self.galleries[shoot.gallery]
        number = len(gallery.images)
        styles = [style for style, shots in zip(shoot.styles, shoot.style_shots, strict=True) for _ in range(shots)]
        refused = number in self.refused_shots
        image = _image(f"{gallery.name}/images/{number}", styles[number], seed=number)
        image.tries = shoot.max_tries if refused and self.measures else 1
        image.verdict.CopyFrom(verdict(refused=refused, measured=self.measures))
        if self.measures:
            image.likeness = 0.2 if refused else 0.8
        gallery.images.append(image)
        event.images.append(image)
        shoot.completed_shots += 1
        shoot.tries += image.tries
        shoot.delivered += image.verdict.acceptance == images_pb2.ACCEPTANCE_ACCEPTED

    def _end(self, shoot: shoots_pb2.Shoot) -> None:
        self.galleries[shoot.gallery].state = shoot.state = jobs_pb2.JOB_STATE_SUCCEEDED
        shoot.stage = shoots_pb2.SHOOT_STAGE_ENDED
        shoot.end_time.GetCurrentTime()
        met = galleries_pb2.GUARANTEE_MET if shoot.delivered == shoot.asked else galleries_pb2.GUARANTEE_NOT_MET
        shoot.guarantee = met if self.measures else galleries_pb2.GUARANTEE_NOT_MEASURED


def _made(request: shoots_pb2.CreateShootRequest, name: str, trains: bool, at: float) -> shoots_pb2.Shoot:
    styles = [each.style for each in PACK.styles] if request.pack else list(request.styles)
    shoot = shoots_pb2.Shoot(
        name=name,
        state=jobs_pb2.JOB_STATE_PENDING,
        stage=shoots_pb2.SHOOT_STAGE_TRAINING if trains else shoots_pb2.SHOOT_STAGE_PAINTING,
        training=f"{request.parent}/trainings/t0",
        trains=trains,
        pack=request.pack,
        pack_version=1 if request.pack else 0,
        styles=styles,
        style_shots=[
            request.count // len(styles) + (number < request.count % len(styles)) for number in range(len(styles))
        ],
        asked=request.count,
        max_tries=request.max_tries or 3,
        style_seeds=request.style_seeds or galleries_pb2.STYLE_SEEDS_VARIED,
        profile=request.profile or "profiles/profile-worthy",
        profile_version=1,
        deadline=request.deadline if request.HasField("deadline") else None,
        event_number=1,
        **labelled(request),
    )
    shoot.create_time.FromNanoseconds(round(at * 1e9))
    shoot.quote.queue_place, shoot.quote.training_steps = 1, STEPS if trains else 0
    shoot.quote.images, shoot.quote.device_seconds = request.count + 2, 90.0
    shoot.quote.measured_on = MEASURED_ON
    shoot.quote.expected_finish_time.FromNanoseconds(shoot.create_time.ToNanoseconds() + 90 * 10**9)
    shoot.quote.latest_finish_time.FromNanoseconds(shoot.create_time.ToNanoseconds() + 120 * 10**9)
    return shoot


def _image(name: str, style: str, seed: int) -> images_pb2.Image:
    content = painted_png(style, seed)
    return images_pb2.Image(
        name=name,
        style=style,
        prompt=f"a photo of sks in {style}",
        seed=seed,
        width_px=16,
        height_px=16,
        content_type="image/png",
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        seconds=0.5,
    )


def verdict(*, refused: bool, measured: bool = True) -> images_pb2.Verdict:
    """What profile-worthy says: every check passed, or a face that is somebody else's."""
    if not measured:
        unmeasured = images_pb2.Check(reason="NOT_MEASURED", message="there is no analyzer of faces")
        return images_pb2.Verdict(
            acceptance=images_pb2.ACCEPTANCE_NOT_MEASURED,
            profile="profiles/profile-worthy",
            profile_version=1,
            checks=[unmeasured],
        )
    check = images_pb2.Check(reason="NOT_ALIKE", passed=not refused, limit=2.0, message="how like the photos it is")
    check.measured = 2.75 if refused else 1.25
    return images_pb2.Verdict(
        acceptance=images_pb2.ACCEPTANCE_REFUSED if refused else images_pb2.ACCEPTANCE_ACCEPTED,
        profile="profiles/profile-worthy",
        profile_version=1,
        analyzer="an-analyzer",
        checks=[check],
    )
