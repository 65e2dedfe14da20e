"""What a call has erased or renamed is in no file of the gateway's any more, once the call has answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from benchmarks.faults.residue import residue
from headshots import schema
from headshots.v1 import galleries_pb2, photos_pb2, subjects_pb2
from tests.support.consents import MESSAGE
from tests.support.gateway.caller import selfie
from tests.support.gateway.world import World

NAME = "Augusta Ada King, Countess of Lovelace"
Deletion = Callable[[World], Awaitable[str]]
"""Makes something, erases it, and returns what only its row held."""


def told(world: World, secret: str) -> bool:
    return bool(residue([world.folder], secret.encode()))


async def renamed(world: World) -> str:
    subject = await world.acme.subject(display_name=NAME, request_id="once")
    assert told(world, NAME), "or this test shows nothing"
    await world.acme("UpdateSubject", subjects_pb2.UpdateSubjectRequest(name=subject, display_name="Ada"))
    return NAME


async def consented_anew(world: World) -> str:
    earlier = "Augusta signed this sheet on the second of May."
    consent = subjects_pb2.Consent()
    consent.CopyFrom(MESSAGE)
    consent.statement_text = earlier
    subject = await world.acme.subject(consent=consent, request_id="once")
    assert told(world, earlier), "or this test shows nothing"
    await world.acme("GiveConsent", subjects_pb2.GiveConsentRequest(name=subject, consent=MESSAGE))
    return earlier


async def photo_erased(world: World) -> str:
    [photo] = await world.acme.upload(await world.acme.subject(), selfie(1))
    sha256 = str(world.rows(schema.photos)[0].sha256)
    assert told(world, sha256), "or this test shows nothing"
    await world.acme("DeletePhoto", photos_pb2.DeletePhotoRequest(name=photo.name))
    return sha256


async def painted(world: World) -> tuple[galleries_pb2.Gallery, str]:
    name = await world.acme.gallery(await world.acme.trained_subject(), shots_per_style=1)
    gallery = await world.acme.finished_gallery(name)
    sha256 = str(world.rows(schema.shots)[0].image["sha256"])
    assert told(world, sha256), "or this test shows nothing"
    return gallery, sha256


async def image_erased(world: World) -> str:
    gallery, sha256 = await painted(world)
    await world.acme("DeleteImage", galleries_pb2.DeleteImageRequest(name=gallery.images[0].name))
    return sha256


async def gallery_erased(world: World) -> str:
    gallery, sha256 = await painted(world)
    await world.acme("DeleteGallery", galleries_pb2.DeleteGalleryRequest(name=gallery.name))
    return sha256


async def held(world: World) -> str:
    subject = await world.acme.subject()
    await world.acme("HoldSubject", subjects_pb2.HoldSubjectRequest(name=subject, reason=NAME))
    assert told(world, NAME), "or this test shows nothing"
    return subject


async def held_for_another_reason(world: World) -> str:
    subject = await held(world)
    await world.acme("HoldSubject", subjects_pb2.HoldSubjectRequest(name=subject, reason="a dispute"))
    return NAME


async def released(world: World) -> str:
    subject = await held(world)
    await world.acme("ReleaseSubject", subjects_pb2.ReleaseSubjectRequest(name=subject))
    return NAME


DELETIONS = (renamed, consented_anew, photo_erased, image_erased, gallery_erased, held_for_another_reason, released)


@pytest.mark.parametrize("erase", DELETIONS, ids=lambda call: call.__name__)
async def test_no_file_holds_what_was_erased(world: World, erase: Deletion) -> None:
    assert not told(world, await erase(world))
