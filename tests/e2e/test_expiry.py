"""Photos go with the adapter, and the person when their time has come, from every file of a running platform."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from benchmarks.faults.residue import residue, weights
from headshots.client import TrainingOptions
from headshots.imaging import PhotoLimits, decode_photo
from tests.support.consents import CONSENT
from tests.support.foundations.engines import tiny_foundation, tiny_package
from tests.support.live_platform import LivePlatform, selfies
from tests.support.waiting import until_equal

NAME = "Ada Lovelace of Ockham Park"
RECIPE = TrainingOptions(steps=4, rank=2, batch_rows=2, seed=1)


async def test_what_is_past_its_time_is_in_no_file(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    environment = {"TMPDIR": str(tmp_path / "tmp"), "HEADSHOTS_GATEWAY_ERASE_AGAIN_SECONDS": "0.5"}
    with LivePlatform(tmp_path, tiny_foundation(), tiny_package().folder, environment) as platform:
        photos = selfies(1)
        pictures = [decode_photo(each, PhotoLimits(max_bytes=2**20)).png for each in photos]
        async with platform.client() as client:
            subject = await client.create_subject(NAME, consent=CONSENT, photo_retention_seconds=0)
            await client.upload_photos(subject, photos)
            training = await client.train(subject, RECIPE)
            assert training.adapter is not None
            await until_equal(lambda: residue([tmp_path], *pictures), {})
            rest = [NAME.encode(), weights(platform.object(training.adapter.key).read_bytes())]
            rest += [each.content async for each in client.generate(subject, ["studio-navy-suit"], shots_per_style=1)]
            assert len(residue([tmp_path], *rest)) > 1
            expire(tmp_path)
            await until_equal(lambda: residue([tmp_path], *pictures, *rest), {})
            assert [each async for each in client.list_subjects()] == []


def expire(home: Path) -> None:
    """As if the time of every subject had come."""
    (database,) = home.glob("*.db")
    with sqlite3.connect(database, timeout=30) as connection:
        connection.execute("UPDATE retentions SET expires_at = 1.0")
