"""Nobody comes back from a backup: database and objects are put back as they were before an erasure."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.faults.residue import residue, weights
from headshots.client import TrainingOptions
from headshots.errors import NotFoundError
from headshots.imaging import PhotoLimits, decode_photo
from headshots.receipts.verifying import read_public_keys, verify
from services.gateway.erasures.log import RECEIPTS
from tests.support.consents import CONSENT
from tests.support.foundations.engines import tiny_foundation, tiny_package
from tests.support.live_platform import LivePlatform, selfies
from tests.support.waiting import until, until_equal

NAME = "Ada Lovelace of Ockham Park"
RECIPE = TrainingOptions(steps=4, rank=2, batch_rows=2, seed=1)


class Backup:
    """The database and the objects of a home, which no service uses meanwhile."""

    def __init__(self, home: Path, folder: Path) -> None:
        self._home, self._folder = home, folder
        folder.mkdir()
        for path in home.glob("headshots.db*"):
            shutil.copy(path, folder)
        shutil.copytree(home / "objects", folder / "objects")

    def restore(self) -> None:
        for path in self._home.glob("headshots.db*"):
            path.unlink()
        for path in self._folder.glob("headshots.db*"):
            shutil.copy(path, self._home)
        shutil.rmtree(self._home / "objects")
        shutil.copytree(self._folder / "objects", self._home / "objects")


def replay(home: Path, log: Path) -> dict[str, int]:
    """What `headshots erasure replay` has done."""
    environment = {**os.environ, "HEADSHOTS_HOME": str(home)}
    arguments = ["erasure", "replay", "--log", log.as_uri(), "--json"]
    command = [sys.executable, "-c", "from headshots.cli import main; main()", *arguments]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    answer: dict[str, int | str] = json.loads(done.stdout)
    assert (answer.pop("log"), answer.pop("log_is_in_store")) == (log.as_uri(), False)
    return {name: int(count) for name, count in answer.items()}


async def person(platform: LivePlatform) -> tuple[str, list[bytes]]:
    """The name of a subject with an adapter and an image, and what must be in no file once it is erased."""
    photos = selfies(1)
    secrets = [NAME.encode(), *(decode_photo(each, PhotoLimits(max_bytes=2**20)).png for each in photos)]
    async with platform.client() as client:
        subject = await client.create_subject(NAME, consent=CONSENT)
        await client.upload_photos(subject, photos)
        training = await client.train(subject, RECIPE)
        assert training.adapter is not None
        secrets.append(weights(platform.object(training.adapter.key).read_bytes()))
        secrets += [each.content async for each in client.generate(subject, ["studio-navy-suit"])]
    return subject.name, secrets


async def receipts(platform: LivePlatform) -> dict[int, bytes]:
    """Those that are signed, by their numbers; they are whole, and a chain."""
    async with platform.client() as client:
        erasures = [each async for each in client.list_erasure_receipts()]
        keys = [read_public_keys(each.public_key_pem.encode()) async for each in client.list_erasure_keys()]
    told = {each.number: each.receipt.encode() for each in erasures if each.number}
    assert verify({str(number): told[number] for number in told}, [key for each in keys for key in each]).is_whole
    return told


async def signed(platform: LivePlatform, count: int) -> dict[int, bytes]:
    """The receipts, once there are so many and all have a copy in the log."""

    async def have_copies() -> bool:
        copies = {path.read_bytes() for path in (platform.home.parent / "log" / RECEIPTS).rglob("*.json")}
        return len(copies) == count and copies == set((await receipts(platform)).values())

    await until(have_copies)
    return await receipts(platform)


async def test_nobody_comes_back_from_a_backup_and_no_receipt_is_lost(tmp_path: Path) -> None:
    home, log = tmp_path / "home", tmp_path / "log"
    settings = {"HEADSHOTS_GATEWAY_ERASURE_LOG_URL": log.as_uri(), "HEADSHOTS_GATEWAY_ERASE_AGAIN_SECONDS": "0.5"}
    with LivePlatform(home, tiny_foundation(), tiny_package().folder, settings) as platform:
        subject, secrets = await person(platform)
        async with platform.client() as client:
            others = [(await client.create_subject("", consent=CONSENT)).name for _ in range(2)]
        for service in ("gateway", "trainer"):
            platform.kill(service)
        backup = Backup(home, tmp_path / "backup")
        platform.start("gateway")
        # Its copy of the adapter it has to forget by itself.
        platform.kill("generator")
        async with platform.client() as client:
            for name in (subject, others[0]):
                await client.delete_subject(name)
        told = await signed(platform, 2)
        await until_equal(lambda: {path.parent for path in residue([home], *secrets)}, {home / "adapters"})
        platform.kill("gateway")
        backup.restore()
        assert residue([home / "objects"], *secrets), "the person is there again"
        done = replay(home, log)
        assert (done["subjects"], done["receipts"]) == (2, 2)
        assert {path.parent for path in residue([home], *secrets)} == {home / "adapters"}
        assert replay(home, log) == {"subjects": 0, "objects": 0, "folders": 0, "receipts": 0}
        backup.restore()
        platform.start("gateway")
        async with platform.client() as client:
            with pytest.raises(NotFoundError):
                await client.get_subject(subject)
            assert told.items() <= (await receipts(platform)).items(), "listed again"
            await client.delete_subject(others[1])
        platform.start("generator")
        # Two who came back and were erased again, and the last.
        assert sorted(await signed(platform, 5)) == [1, 2, 3, 4, 5]
        assert residue([home, log], *secrets) == {}
