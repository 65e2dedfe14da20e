"""Measures how long a tenant waits for two portraits while another has 1,600 of high priority in the queue."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.faults.report import Say, Scale
from benchmarks.faults.world import client_of, database_of, small_platform
from benchmarks.report import Measured
from headshots import keys
from headshots.client import AsyncHeadshots, JobState, Priority, Style, Subject, TrainingOptions
from tests.support.consents import CONSENT
from tests.support.live_platform import selfies

_GALLERY_SHOTS, _SHOTS_PER_STYLE = 160, 16
_RECIPE = TrainingOptions(steps=4, rank=4, batch_rows=2)


async def run(scale: Scale, seed: int, folder: Path, say: Say) -> Measured:
    """Galleries of two, alone and then behind the others', from the call to the last image."""
    with small_platform(folder) as platform:
        greedy_client = client_of(platform, "greedy")
        with database_of(platform) as database:
            keys.grant_high(database, "greedy", limit=scale.high_shots)
        async with greedy_client as greedy, client_of(platform, "modest") as modest:
            theirs, ours = await _trained(greedy, 1), await _trained(modest, 2)
            styles = [style async for style in modest.list_styles()]
            # The first one loads the adapter.
            await _wait_seconds(modest, ours, styles)
            alone = [await _wait_seconds(modest, ours, styles) for _ in range(scale.repeats)]
            say(f"alone: {statistics.median(alone):.2f} s")
            await _queue(greedy, theirs, styles, scale.high_shots)
            behind: list[float] = []
            waiting: list[int] = []
            while len(behind) < scale.repeats and (left := await _left(greedy, theirs)) > 0:
                waiting.append(left)
                behind.append(await _wait_seconds(modest, ours, styles))
                say(f"behind {left} shots of high priority: {behind[-1]:.2f} s")
    details = {"alone_seconds": alone, "behind_seconds": behind, "high_shots_waiting": waiting}
    figure = statistics.median(behind) / statistics.median(alone)
    return Measured({"other_tenant_wait_behind_1600_high_shots": figure}, {"high_priority": details})


async def _trained(client: AsyncHeadshots, person: int) -> Subject:
    subject = await client.create_subject(f"Person {person}", consent=CONSENT)
    await client.upload_photos(subject, selfies(person))
    await client.train(subject, _RECIPE)
    return subject


async def _wait_seconds(client: AsyncHeadshots, subject: Subject, styles: Sequence[Style]) -> float:
    """Of a gallery of two shots of standard priority."""
    begin = time.perf_counter()
    gallery = await client.create_gallery(subject, styles[:2], shots_per_style=1)
    ended = await client.wait_gallery(gallery)
    assert ended.state is JobState.SUCCEEDED, ended.failure
    return time.perf_counter() - begin


async def _queue(client: AsyncHeadshots, subject: Subject, styles: Sequence[Style], shots: int) -> None:
    """Orders `shots` of high priority, a multiple of 16, in as few galleries as that takes."""
    for begin in range(0, shots, _GALLERY_SHOTS):
        count = min(_GALLERY_SHOTS, shots - begin)
        chosen = styles[: count // _SHOTS_PER_STYLE]
        await client.create_gallery(
            subject, chosen, shots_per_style=_SHOTS_PER_STYLE, seed=begin, priority=Priority.HIGH
        )


async def _left(client: AsyncHeadshots, subject: Subject) -> int:
    """Shots that have no image yet."""
    galleries = [gallery async for gallery in client.list_galleries(subject)]
    return sum(gallery.total_shots - gallery.completed_shots for gallery in galleries)
