"""A training that is erased while its worker sleeps: what a child writes when it wakes does not stay."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from headshots.database import write
from headshots.schema import training_jobs
from tests.support.trainer_world import WORKING, opened_trainer
from tests.support.waiting import until


async def test_what_comes_after_an_erasure_is_removed(tmp_path: Path) -> None:
    async with opened_trainer(tmp_path, WORKING) as trainer:
        await trainer.start()
        await trainer.until(lambda job: job.step == 1)
        await trainer.store.put("out/b/adapter.safetensors", b"another training's")
        # Later than the erasure's last look, as its prefix still lists them.
        await trainer.store.put("out/a/checkpoints/00000002.safetensors", b"late")
        await trainer.store.put("out/a/sheet.jpg", b"late")
        with write(trainer.database) as connection:
            connection.execute(sa.delete(training_jobs))
        await until(lambda: trainer.store.list_sync("out") == ["out/b/adapter.safetensors"])
        assert trainer.children[0].killed
        # The worker is free for the next.
        await trainer.start("next")
        await trainer.until(lambda job: job.step == 1, "next")
