"""A gateway that is killed in the middle of an upload leaves nothing that a restart and an erasure do not remove."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc.aio
import pytest

from benchmarks.faults.residue import residue
from headshots.imaging import PhotoLimits, decode_photo
from headshots.processes.fleet import Fleet
from headshots.processes.log_files import LogFiles
from headshots.processes.serving import wait_until_serving
from headshots.v1 import subjects_pb2
from tests.support.gateway.caller import Caller, selfie, upload_messages
from tests.support.gateway.killed import POINT, STORED, WRITING
from tests.support.paths import environment_of_services
from tests.support.ports import free_port
from tests.support.waiting import PATIENCE_SECONDS, until

NAME = "Ada Lovelace of Ockham Park"
PHOTOS = [selfie(number, "PNG", (200, 180)) for number in range(3)]
# As they came and as they are stored.
SECRETS = [*PHOTOS, *(decode_photo(photo, PhotoLimits()).png for photo in PHOTOS), NAME.encode()]


class KillableGateway:
    """A gateway process with a home, and a folder for the temporary files of whoever knows no other."""

    def __init__(self, folder: Path, fleet: Fleet) -> None:
        self.home = folder / "home"
        self._fleet = fleet
        self._port = free_port()
        self._environment = {
            "HEADSHOTS_HOME": str(self.home),
            "HEADSHOTS_GATEWAY_PORT": str(self._port),
            "HEADSHOTS_GATEWAY_METRICS_PORT": "0",
            "HEADSHOTS_GATEWAY_PHOTO_DECODERS": "1",
            "HEADSHOTS_GATEWAY_UPLOAD_IDLE_SECONDS": str(PATIENCE_SECONDS),
            "TMPDIR": str(folder / "tmp"),
        }

    async def start(self, point: str = "") -> None:
        """Starts it, to be killed at this point."""
        self._fleet.start("gateway", "tests.support.gateway.killed", {**self._environment, POINT: point})
        addresses = {"gateway": f"127.0.0.1:{self._port}"}
        await asyncio.to_thread(
            wait_until_serving, self._fleet, addresses, timeout_seconds=PATIENCE_SECONDS, on_serving=lambda _: None
        )

    async def ended(self) -> None:
        """Waits until it was killed."""
        await until(lambda: self._fleet.exit_code("gateway") is not None)
        self._fleet.kill("gateway")

    def kill(self) -> None:
        """SIGKILL."""
        self._fleet.kill("gateway")

    @asynccontextmanager
    async def caller(self) -> AsyncIterator[Caller]:
        """A client with the first key."""
        async with grpc.aio.insecure_channel(f"127.0.0.1:{self._port}") as channel:
            yield Caller(channel, (self.home / "api-key").read_text().strip())


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[KillableGateway]:
    (tmp_path / "tmp").mkdir()
    with Fleet(LogFiles(tmp_path / "logs"), inherited=environment_of_services()) as fleet:
        yield KillableGateway(tmp_path, fleet)


async def test_a_kill_while_photos_are_received_leaves_nothing_after_a_restart(
    gateway: KillableGateway, tmp_path: Path
) -> None:
    await gateway.start()
    async with gateway.caller() as caller:
        subject = await caller.subject(display_name=NAME)
        call = caller.stub.UploadPhotos(metadata=caller.metadata)
        for message in upload_messages(subject, *PHOTOS):
            await call.write(message)
        # All are received, and the stream is not ended: nothing is stored before that.
        await until(lambda: len(residue([gateway.home / "scratch"], *SECRETS)) == 3)
        gateway.kill()
        call.cancel()
    assert len(residue([gateway.home / "scratch"], *SECRETS)) == 3, "or this test shows nothing"
    await gateway.start()
    assert residue([tmp_path], *SECRETS[:-1]) == {}, "no erasure is needed: nothing was accepted"
    await erased(gateway, subject, tmp_path)


@pytest.mark.parametrize(("point", "left"), [(WRITING, {".png", ".png#1"}), (STORED, {".png"})])
async def test_a_kill_while_photos_are_stored_leaves_nothing_after_the_erasure(
    gateway: KillableGateway, tmp_path: Path, point: str, left: set[str]
) -> None:
    await gateway.start(point)
    async with gateway.caller() as caller:
        subject = await caller.subject(display_name=NAME)
        with pytest.raises(grpc.aio.AioRpcError):
            await caller.stub.UploadPhotos(iter(upload_messages(subject, *PHOTOS)), metadata=caller.metadata)
    await gateway.ended()
    assert {path.suffix for path in residue([gateway.home / "objects"], *SECRETS)} == left
    await gateway.start()
    async with gateway.caller() as caller:
        assert len(await caller.upload(subject, *PHOTOS)) == 3, "the same photos are taken again"
    await erased(gateway, subject, tmp_path)


async def erased(gateway: KillableGateway, subject: str, folder: Path) -> None:
    """Erases the subject, and finds nothing of it in any file, nor new files where others put theirs."""
    async with gateway.caller() as caller:
        await caller("DeleteSubject", subjects_pb2.DeleteSubjectRequest(name=subject))
    assert residue([folder], *SECRETS) == {}
    assert list((folder / "tmp").iterdir()) == []
    assert Path(tempfile.gettempdir()) != folder / "tmp"
