"""Revisions of watched jobs are read once for all who watch."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa

from headshots.database import write
from headshots.errors import NotFoundError
from headshots.schema import training_jobs
from services.trainer.queue.job import Job
from tests.support.trainer.world import WORKING, Trainer
from tests.support.waiting import until


async def watch(trainer: Trainer, job_id: str, seen: list[Job]) -> None:
    async for job in trainer.engine.watch(job_id):
        seen.append(job)


async def test_watches_read_one_query_a_poll_and_see_what_another_process_changed(tmp_path: Path) -> None:
    trainer = Trainer(tmp_path, [WORKING], poll_seconds=0.05)
    seen: dict[str, list[Job]] = {f"j{number}": [] for number in range(50)}
    for job_id in seen:
        await trainer.start(job_id)
    watching = [asyncio.create_task(watch(trainer, job_id, jobs)) for job_id, jobs in seen.items()]
    await until(lambda: all(seen.values()))
    whole, revisions = [], []

    def listen(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "training_jobs.request" in statement:
            whole.append(statement)
        elif "training_jobs.revision" in statement:
            revisions.append(statement)

    sa.event.listen(trainer.database, "before_cursor_execute", listen)
    await until(lambda: len(revisions) >= 5)
    assert whole == []
    with write(trainer.database) as connection:
        mine = sa.update(training_jobs).where(training_jobs.c.id == "j7")
        connection.execute(mine.values(step=5, revision=training_jobs.c.revision + 1))
    await until(lambda: seen["j7"][-1].step == 5)
    assert len(whole) == 1
    with write(trainer.database) as connection:
        connection.execute(sa.delete(training_jobs))
    for each in watching:
        with pytest.raises(NotFoundError, match="JOB_NOT_FOUND"):
            await each
    trainer.database.dispose()
