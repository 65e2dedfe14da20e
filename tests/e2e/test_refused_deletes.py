"""An object store refuses deletes for a while: erasures wait and are tried again, single deletions fail as a whole.

The short form runs always. The one of ten minutes, with the gateway's default time between two tries:
``pytest -n 0 -m slow tests/e2e/test_refused_deletes.py``.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from benchmarks.faults.residue import residue, weights
from benchmarks.faults.world import client_of
from headshots.client import (
    AsyncHeadshots,
    Erasure,
    ErasureState,
    ErasureTrigger,
    Image,
    Photo,
    Subject,
    TrainingOptions,
)
from headshots.errors import NotFoundError, UnavailableError
from headshots.imaging import PhotoLimits, decode_photo
from tests.support.consents import CONSENT
from tests.support.foundations.engines import tiny_foundation, tiny_package
from tests.support.gateway.refusing_store import refusing_deletes
from tests.support.live_platform import LivePlatform, selfies
from tests.support.waiting import until

STYLES = ["studio-navy-suit"]
RECIPE = TrainingOptions(steps=4, rank=2, batch_rows=2, seed=1)
TRIES = 3
"""That are refused before the gateway is killed, and again after its restart."""


@dataclass(frozen=True)
class Person:
    """Somebody of a tenant's with an adapter and an image."""

    subject: Subject
    photos: list[Photo]
    image: Image
    folder: Path
    secrets: list[bytes]
    """What must be in no file once they are erased."""


async def portrayed(platform: LivePlatform, client: AsyncHeadshots, tenant: str, number: int) -> Person:
    name, files = f"Person {number} of Ockham Park", selfies(number)
    subject = await client.create_subject(name, consent=CONSENT)
    await client.upload_photos(subject, files)
    training = await client.train(subject, RECIPE)
    assert training.adapter is not None
    (painted,) = [each async for each in client.generate(subject, STYLES, shots_per_style=1, seed=number)]
    secrets = [name.encode(), *(decode_photo(each, PhotoLimits(max_bytes=2**20)).png for each in files)]
    secrets += [weights(platform.object(training.adapter.key).read_bytes()), painted.content]
    photos = [each async for each in client.list_photos(subject)]
    folder = platform.object(f"tenants/{tenant}/{subject.name}")
    return Person(await client.get_subject(subject), photos, painted.image, folder, secrets)


async def refused(call: Callable[[], Awaitable[object]]) -> None:
    with pytest.raises(UnavailableError) as error:
        await call()
    assert error.value.reason == "OBJECT_STORE_UNAVAILABLE"


async def check_gone(client: AsyncHeadshots, person: Person) -> None:
    """No call but the erasure's own knows the person."""
    for call in (
        lambda: client.get_subject(person.subject),
        lambda: anext(client.list_photos(person.subject)),
        lambda: client.get_image(person.image),
        lambda: client.upload_photos(person.subject, selfies(9, 1)),
        lambda: client.create_training(person.subject, RECIPE),
        lambda: client.create_gallery(person.subject, STYLES),
    ):
        with pytest.raises(NotFoundError):
            await call()
    assert [each async for each in client.list_subjects()] == []


async def erasure_of(client: AsyncHeadshots, person: Person) -> Erasure:
    commitment = person.subject.erasure_commitment
    (erasure,) = [each async for each in client.list_erasure_receipts(subject_commitment=commitment)]
    return erasure


async def is_signed(client: AsyncHeadshots, person: Person) -> bool:
    return (await erasure_of(client, person)).state is not ErasureState.PENDING


def refusals(platform: LivePlatform, person: Person) -> int:
    """Tries of the gateway's own that its log tells of, with what the store answered."""
    lines = platform.logs.path("gateway").read_text("utf-8").splitlines()
    subject = person.subject.name.removeprefix("subjects/")
    reasons = [each for each in lines if "object store failed" in each and subject in each]
    assert all("Permission denied" in each for each in reasons), reasons
    tries = sum(f"subject {subject} is not erased yet; trying again" in each for each in lines)
    assert len(reasons) > tries
    return tries


async def check_single_deletions(client: AsyncHeadshots, person: Person) -> None:
    """One that is refused changes nothing, and the same call deletes once the store does."""
    photo, *others = person.photos
    before = stored(person)
    with refusing_deletes(person.folder):
        await refused(lambda: client.delete_photo(photo))
        await refused(lambda: client.delete_image(person.image))
        await refused(lambda: client.delete_gallery(person.image.name.partition("/images/")[0]))
        assert [each.name async for each in client.list_photos(person.subject)] == [each.name for each in person.photos]
        assert (await client.get_image(person.image)).content == person.secrets[-1]
    assert stored(person) == before
    await client.delete_photo(photo)
    await client.delete_image(person.image)
    assert [each.name async for each in client.list_photos(person.subject)] == [each.name for each in others]
    folders = [person.folder / "photos", person.folder / "images"]
    assert residue(folders, person.secrets[1], person.secrets[-1]) == {}


async def work(client: AsyncHeadshots, person: Person, seed: int) -> bytes:
    """What another tenant may expect meanwhile: new people, their photos; returns an image of the person."""
    subject = await client.create_subject(f"Newcomer {seed}", consent=CONSENT)
    assert len(await client.upload_photos(subject, selfies(seed, 1))) == 1
    (painted,) = [each async for each in client.generate(person.subject, STYLES, shots_per_style=1, seed=seed)]
    return painted.content


def stored(person: Person) -> list[Path]:
    return sorted(path for path in person.folder.rglob("*") if path.is_file())


async def verified(client: AsyncHeadshots, erasure: Erasure, folder: Path) -> None:
    """By the command, with nothing but two files."""
    (folder / "receipt.json").write_text(erasure.receipt)
    (folder / "keys.pem").write_text("".join([each.public_key_pem async for each in client.list_erasure_keys()]))
    arguments = ["erasure", "verify", str(folder / "receipt.json"), "--key", str(folder / "keys.pem")]
    command = [sys.executable, "-c", "from headshots.cli import main; main()", *arguments]
    done = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    said, _ = await done.communicate()
    assert (done.returncode, said.split()[-3:]) == (0, [b"receipt", b"1,", b"whole"])


@dataclass(frozen=True)
class Window:
    """While the store refused: which objects it kept, when the erasure was asked for, when deletes were allowed."""

    objects: list[Path]
    asked_at: datetime
    allowed_at: datetime


def as_told(at: datetime) -> datetime:
    """To the millisecond, as receipts tell times."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


async def is_reached(client: AsyncHeadshots) -> bool:
    try:
        await client.get_tenant()
    except UnavailableError:
        return False
    return True


async def wait_out(platform: LivePlatform, ada: Person, bob: Person, seconds: float) -> list[bytes]:
    """Until the gateway, which is killed in between, was refused some times, and that for so long; Bob's images."""
    ends_at, files = time.monotonic() + seconds, stored(ada)
    await until(lambda: refusals(platform, ada) >= TRIES)
    platform.kill("gateway")
    platform.start("gateway")
    told, images = refusals(platform, ada), []
    async with platform.client() as client, client_of(platform, "globex") as other:
        # gRPC may wait yet before it tries again to reach a gateway that went away.
        await until(lambda: is_reached(other))
        for seed in count(10):
            images.append(await work(other, bob, seed))
            await check_gone(client, ada)
            erasure = await erasure_of(client, ada)
            assert (erasure.state, erasure.erase_time, erasure.receipt) == (ErasureState.PENDING, None, "")
            assert stored(ada) == files
            if refusals(platform, ada) >= told + TRIES and time.monotonic() >= ends_at:
                break
            await asyncio.sleep(seconds / 60)
    return images


def check_receipt(erasure: Erasure, window: Window) -> None:
    """It says when it was asked for, that nothing was erased before the store allowed it, and each object once."""
    assert (erasure.state, erasure.trigger) == (ErasureState.COMPLETE, ErasureTrigger.REQUEST)
    document = json.loads(erasure.receipt)
    told = [datetime.fromisoformat(document[name]) for name in ("requested_at", "erased_at", "signed_at")]
    assert window.asked_at <= told[0] < window.allowed_at <= told[1] <= told[2]
    assert told == [as_told(at) for at in (erasure.request_time, erasure.erase_time, erasure.sign_time) if at]
    assert sum(each["count"] for each in document["classes"] + document["uncommitted"]) == len(window.objects)
    assert document["exceptions"] == []
    assert (len(document["replicas"]["confirmed"]), document["replicas"]["silent"]) == (1, [])


@pytest.mark.parametrize(
    ("seconds", "settings"),
    [
        pytest.param(0.0, {"HEADSHOTS_GATEWAY_ERASE_AGAIN_SECONDS": "0.5"}, id="some tries"),
        pytest.param(600.0, {}, id="ten minutes", marks=pytest.mark.slow),
    ],
)
async def test_an_erasure_that_the_store_refuses_is_tried_until_it_is_done(
    seconds: float, settings: dict[str, str], tmp_path: Path
) -> None:
    modules, home = {"gateway": "tests.support.gateway.refusing_store"}, tmp_path / "home"
    with LivePlatform(home, tiny_foundation(), tiny_package().folder, settings, modules) as platform:
        async with platform.client() as client, client_of(platform, "globex") as other:
            ada, bob = [await portrayed(platform, *each) for each in ((client, "default", 1), (other, "globex", 2))]
        objects, asked_at = stored(ada), as_told(datetime.now(UTC))
        with refusing_deletes(ada.folder):
            async with platform.client() as client, client_of(platform, "globex") as other:
                await refused(lambda: client.delete_subject(ada.subject))
                await check_gone(client, ada)
                await refused(lambda: client.delete_subject(ada.subject))
                await check_single_deletions(other, bob)
            images = await wait_out(platform, ada, bob, seconds)
            allowed_at = as_told(datetime.now(UTC))
        async with platform.client() as client:
            await until(lambda: is_signed(client, ada))
            erasure = await erasure_of(client, ada)
            check_receipt(erasure, Window(objects, asked_at, allowed_at))
            await verified(client, erasure, tmp_path)
        assert not ada.folder.exists()
        # What is in images of others too, as the certificate is, does not tell of her.
        assert residue([home], *ada.secrets, common=[*bob.secrets, *images]) == {}
