"""An erased person is in no file of a platform, though the generator was away when they were erased."""

from __future__ import annotations

import hashlib
import re
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.faults.residue import residue, weights
from headshots.client import TrainingOptions
from headshots.imaging import PhotoLimits, decode_photo
from tests.support.consents import CONSENT
from tests.support.foundations.engines import tiny_foundation, tiny_package
from tests.support.live_platform import SERVICES, LivePlatform, selfies

NAME = "Ada Lovelace of Ockham Park"
RECIPE = TrainingOptions(steps=4, rank=2, batch_rows=2, seed=1)


def core_limit(pid: int) -> str:
    """How many bytes of a process's memory the system writes when it crashes."""
    (line,) = re.findall(r"Max core file size +(\S+)", Path(f"/proc/{pid}/limits").read_text("ascii"))
    return str(line)


@pytest.fixture
def cores_allowed() -> Iterator[None]:
    """Processes that are started meanwhile leave cores, unless they see to it that they do not."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_CORE, before)


@pytest.mark.usefixtures("cores_allowed")
async def test_an_erased_person_is_in_no_file(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    temporary = {"TMPDIR": str(tmp_path / "tmp")}
    with LivePlatform(tmp_path, tiny_foundation(), tiny_package().folder, temporary) as platform:
        # What a crash leaves would hold a person too.
        assert {core_limit(platform.pid(service)) for service in SERVICES} == {"0"}
        photos = selfies(1)
        secrets = [NAME.encode(), *(decode_photo(each, PhotoLimits(max_bytes=2**20)).png for each in photos)]
        async with platform.client() as client:
            subject = await client.create_subject(NAME, consent=CONSENT)
            await client.upload_photos(subject, photos)
            training = await client.train(subject, RECIPE)
            assert training.adapter is not None
            committed = [each.object_sha256 async for each in client.list_erasure_commitments(subject)]
            folder = platform.object(training.adapter.key).parent
            assert {hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.*")} <= set(committed)
            secrets.append(weights(platform.object(training.adapter.key).read_bytes()))
            secrets += [each.content async for each in client.generate(subject, ["studio-navy-suit"])]
            assert residue([tmp_path / "adapters"], *secrets), "the generator has the adapter on its disk"
            platform.kill("generator")
            await client.delete_subject(subject)
            assert {path.parent for path in residue([tmp_path], *secrets)} == {tmp_path / "adapters"}
            platform.start("generator")
            assert residue([tmp_path], *secrets) == {}
