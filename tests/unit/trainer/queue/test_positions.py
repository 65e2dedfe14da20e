"""Queue positions are read once for all who ask together."""

from __future__ import annotations

import asyncio
from pathlib import Path

import sqlalchemy as sa

from tests.support.trainer.world import WORKING, Trainer


async def test_concurrent_requests_read_the_queue_once(tmp_path: Path) -> None:
    trainer = Trainer(tmp_path, [WORKING], poll_seconds=1e6)
    for number in range(5):
        await trainer.start(f"j{number}")
    looks: list[str] = []

    def listen(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "created_at" in statement and "request" not in statement:
            looks.append(statement)

    sa.event.listen(trainer.database, "before_cursor_execute", listen)
    jobs = await asyncio.gather(*(trainer.engine.get(f"j{number}") for number in range(5)))
    assert [job.queue_position for job in jobs] == [0, 1, 2, 3, 4]
    assert looks == []
    trainer.engine._context.changes.notify()
    await asyncio.gather(*(trainer.engine.get(f"j{number}") for number in range(5)))
    assert len(looks) == 1
    trainer.database.dispose()
