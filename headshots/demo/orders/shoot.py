"""Orders the shoot, follows its training and its painting, and fetches the portraits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from headshots.client import AsyncHeadshots, ImageOrder, Shoot, ShootEvent, ShootOptions, ShootStage, Style, Subject
from headshots.console.following import running_words
from headshots.console.output import progress
from headshots.demo.display import Display, StageDisplay
from headshots.demo.results.album import Portrait


async def order_shoot(
    client: AsyncHeadshots, subject: Subject, chosen: Sequence[str], *, count: int, seed: int, display: Display
) -> Shoot:
    """One order; its training and its painting are shown as stages.

    Raises:
        JobFailedError: it failed.
        HeadshotsError: what the gateway refused.
    """
    now = await client.create_shoot(subject, styles=chosen, count=count, options=ShootOptions(seed=seed))
    events = client.watch_shoot(now)
    with display.stage("train", "Training") as shown:
        async for event in events:
            now = _checked(event)
            done, total = now.training_step, now.training_total_steps
            detail = now.status_message or _training_words(now)
            shown.update(done, total or None, count=progress(done, total), detail=detail)
            if now.stage is not ShootStage.TRAINING:
                break
    with display.stage("paint", "Painting and judging") as shown:
        async for event in events:
            now = _checked(event)
            done, total = now.completed_shots, now.asked
            detail = now.status_message or f"{now.delivered} accepted, {now.tries} tried"
            shown.update(done, total, count=progress(done, total), detail=detail)
    return now


def _training_words(now: Shoot) -> str:
    """What its training does; empty where it does not run."""
    if now.training_progress is None:
        return now.training_phase_message
    return running_words(now.training_progress, now.training_phase_message, eta_seconds=now.training_eta_seconds)


def _checked(event: ShootEvent) -> Shoot:
    event.shoot.raise_for_state()
    return event.shoot


async def fetch_portraits(
    client: AsyncHeadshots, shoot: Shoot, library: Sequence[Style], shown: StageDisplay
) -> list[Portrait]:
    """The portraits, best first."""
    by_name = {style.name: style for style in library}
    portraits: list[Portrait] = []
    async for image in client.list_images(shoot.gallery, order=ImageOrder.RANK):
        painted = await client.get_image(image)
        # The call for one image tells no rank.
        portraits.append(Portrait(replace(painted, image=image), by_name[image.style]))
        shown.update(len(portraits), shoot.asked, count=progress(len(portraits), shoot.asked))
    return portraits
