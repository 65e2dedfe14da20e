"""VerifyImage tells where files come from: to each tenant what it may know, after erasures that they are erased."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

import grpc.aio
import numpy as np
import pytest
import sqlalchemy as sa
from PIL import Image

from foundry.portraits.identity import sample_identity
from foundry.portraits.render import render
from foundry.portraits.scene import sample_scene
from headshots import schema
from headshots.errors import InvalidArgumentError, InvalidPhotoError, ResourceExhaustedError
from headshots.marking.description import Description, Rights
from headshots.marking.settings import MarkingSettings
from headshots.rpc.channel import error_from_rpc
from headshots.v1 import galleries_pb2, images_pb2, subjects_pb2
from services.generator.images.encoding import encode
from services.generator.images.marking import MarkedFile, Marker
from tests.support.gateway.audit import events_of
from tests.support.gateway.caller import Caller, selfie
from tests.support.gateway.world import World
from tests.support.images.marked import screenshot_of
from tests.support.waiting import PATIENCE_SECONDS

SEED = 7
PIXELS = render(sample_identity(4), sample_scene(np.random.default_rng(4)), 512)


@pytest.fixture
async def marked(world: World) -> MarkedFile:
    """What the generator answers to `SEED`, signed by the authority that the gateway trusts."""
    settings = MarkingSettings(world.folder / "marking", licence="https://example.com/licence")
    file = Marker(settings, settings.open_signer(), "tiny", "0" * 64).write("acme", PIXELS, "png", 0, None)
    world.generator.pictures[SEED] = file.signed
    world.generator.marks[SEED] = file.mark_id.hex()
    await world.kill()
    await world.start(photo_max_pixels=1_000_000)
    return file


@pytest.fixture
async def painted(world: World, marked: MarkedFile) -> str:
    """A gallery of two images, the first of them the marked one."""
    subject = await world.acme.trained_subject()
    return (await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=2, seed=SEED))).name


def messages(file: bytes, size: int | None = None) -> Iterable[images_pb2.VerifyImageRequest]:
    start = images_pb2.ImageStart(size_bytes=len(file) if size is None else size)
    yield images_pb2.VerifyImageRequest(image=start)
    for at in range(0, len(file), 1 << 20):
        yield images_pb2.VerifyImageRequest(chunk=file[at : at + (1 << 20)])


async def send(caller: Caller, sent: Iterable[images_pb2.VerifyImageRequest]) -> images_pb2.VerifyImageResponse:
    try:
        answer = await caller.stub.VerifyImage(iter(sent), metadata=caller.metadata, timeout=PATIENCE_SECONDS)
    except grpc.aio.AioRpcError as error:
        raise error_from_rpc(error) from error
    assert isinstance(answer, images_pb2.VerifyImageResponse)
    return answer


async def verify(caller: Caller, file: bytes) -> images_pb2.VerifyImageResponse:
    return await send(caller, messages(file))


def known(found: images_pb2.VerifyImageResponse) -> tuple[bool, bool, bool, list[str]]:
    return found.made_here, found.yours, found.erased, list(found.images)


async def test_an_image_with_all_its_layers(world: World, marked: MarkedFile, painted: str) -> None:
    found = await verify(world.acme, marked.signed)
    assert known(found) == (True, True, False, [f"{painted}/images/0"])
    assert found.made_by_machine
    assert found.signature.state == images_pb2.SIGNATURE_STATE_VALID
    assert found.metadata.source_type.endswith("/trainedAlgorithmicMedia")
    assert "commercial" in found.metadata.usage_terms
    assert found.metadata.licence == "https://example.com/licence"
    assert found.watermark.mark_id == marked.mark_id.hex()
    assert found.watermark.confidence > 0.6


async def test_a_screenshot_by_its_watermark(world: World, marked: MarkedFile, painted: str) -> None:
    found = await verify(world.acme, screenshot_of(marked.signed))
    assert known(found) == (True, True, False, [f"{painted}/images/0"])
    assert found.signature.state == images_pb2.SIGNATURE_STATE_ABSENT
    assert not found.HasField("metadata")


async def test_another_tenant_hears_that_it_was_made_here_and_no_more(
    world: World, marked: MarkedFile, painted: str
) -> None:
    globex = world.caller(world.keys["globex"])
    assert known(await verify(globex, screenshot_of(marked.signed))) == (True, False, False, [])


async def test_a_mark_that_was_not_given_out_here_is_a_strangers(world: World, marked: MarkedFile) -> None:
    found = await verify(world.acme, screenshot_of(marked.signed))
    assert known(found) == (False, False, False, [])
    assert found.watermark.mark_id == marked.mark_id.hex()
    assert found.made_by_machine
    signed = await verify(world.acme, marked.signed)
    assert known(signed) == (True, False, False, []), "an image of before marks were kept, by its signature"
    (world.folder / "marking" / "authority.pem").unlink()
    unknown = await verify(world.acme, marked.signed)
    assert unknown.signature.state == images_pb2.SIGNATURE_STATE_UNTRUSTED
    assert not unknown.made_here


async def test_changed_and_unmarked_files(world: World, marked: MarkedFile, painted: str) -> None:
    settings = MarkingSettings(world.folder / "marking")
    jpeg = Marker(settings, settings.open_signer(), "tiny", "0" * 64).write("acme", PIXELS, "jpg", 90, None).signed
    assert (await verify(world.acme, jpeg)).signature.state == images_pb2.SIGNATURE_STATE_VALID
    at = jpeg.rindex(b"c2pa.signature")
    renamed = await verify(world.acme, jpeg[:at] + b"c2pb" + jpeg[at + 4 :])
    assert renamed.signature.state == images_pb2.SIGNATURE_STATE_BROKEN
    assert list(renamed.signature.failures) == ["structure.changed"]
    assert renamed.made_here, "the watermark is still there"
    plain = await verify(world.acme, encode(PIXELS, "png"))
    assert known(plain) == (False, False, False, [])
    assert not plain.made_by_machine
    assert not plain.HasField("watermark")


async def test_what_a_stranger_signed_under_a_mark_of_ours_is_a_strangers(
    world: World, marked: MarkedFile, painted: str
) -> None:
    signer = MarkingSettings(world.folder / "stranger").open_signer()
    assert signer is not None
    description = Description("headshots", "0", "tiny", "0" * 64, False, marked.mark_id, Rights())
    found = await verify(world.acme, signer.sign(encode(PIXELS, "png"), "image/png", description))
    assert found.signature.state == images_pb2.SIGNATURE_STATE_UNTRUSTED
    assert known(found) == (False, False, False, [])


@pytest.mark.parametrize("deleting", ["image", "gallery", "subject"])
async def test_what_is_erased_is_known_as_erased_and_nothing_else(
    world: World, marked: MarkedFile, painted: str, deleting: str
) -> None:
    subject = painted.partition("/galleries")[0]
    if deleting == "image":
        await world.acme("DeleteImage", galleries_pb2.DeleteImageRequest(name=f"{painted}/images/0"))
    elif deleting == "gallery":
        await world.acme("DeleteGallery", galleries_pb2.DeleteGalleryRequest(name=painted))
    else:
        await world.acme("DeleteSubject", subjects_pb2.DeleteSubjectRequest(name=subject))
    shot = screenshot_of(marked.signed)
    assert known(await verify(world.acme, shot)) == (True, True, True, [])
    assert known(await verify(world.caller(world.keys["globex"]), shot)) == (True, False, True, [])
    [row] = world.rows(schema.marks)
    assert (row.mark_id, row.tenant_id, row.subject_id, row.object_key) == (marked.mark_id.hex(), "acme", None, None)
    assert row.erased_at > 1e9


async def test_a_picture_of_two_images_is_erased_with_the_last(world: World, marked: MarkedFile, painted: str) -> None:
    subject = painted.partition("/galleries")[0]
    other = (await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=1, seed=SEED))).name
    both = [f"{painted}/images/0", f"{other}/images/0"]
    assert len(world.rows(schema.marks)) == 1
    assert known(await verify(world.acme, marked.signed)) == (True, True, False, both)
    await world.acme("DeleteImage", galleries_pb2.DeleteImageRequest(name=both[0]))
    assert known(await verify(world.acme, marked.signed)) == (True, True, False, both[1:])
    await world.acme("DeleteImage", galleries_pb2.DeleteImageRequest(name=both[1]))
    assert known(await verify(world.acme, marked.signed)) == (True, True, True, [])
    again = (await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=1, seed=SEED))).name
    assert known(await verify(world.acme, marked.signed)) == (True, True, False, [f"{again}/images/0"])


async def test_no_image_of_a_subject_past_its_time_is_named(world: World, marked: MarkedFile, painted: str) -> None:
    with world.database.begin() as connection:
        connection.execute(sa.update(schema.retentions).values(expires_at=1.0))
    found = await verify(world.acme, marked.signed)
    assert (found.yours, list(found.images)) == (True, [])


async def test_who_had_an_image_named_is_in_the_audit_log(world: World, marked: MarkedFile, painted: str) -> None:
    await verify(world.acme, marked.signed)
    await verify(world.caller(world.keys["globex"]), marked.signed)
    events = await events_of(world.acme, subject=painted.partition("/galleries")[0])
    [told] = [each for each in events if "VERIFIED" in str(each)]
    assert (told.resource, told.count) == (f"{painted}/images/0", 1)
    assert await events_of(world.caller(world.keys["globex"])) == []


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ([], "UPLOAD_MALFORMED"),
        (list(messages(selfie(1), len(selfie(1)) + 1)), "UPLOAD_INCOMPLETE"),
        ([*messages(selfie(1)), *messages(selfie(2))], "UPLOAD_MALFORMED"),
        (list(messages(selfie(1), 5)), "UPLOAD_MALFORMED"),
        (list(messages(b"no picture")), "PHOTO_UNDECODABLE"),
        (list(messages(selfie(1)[:300])), "PHOTO_TRUNCATED"),
        (list(messages(b"x", 20 * 2**20 + 1)), "CONSTRAINT_VIOLATED"),
    ],
)
async def test_a_bad_stream_is_refused_with_the_reason(world: World, sent: Any, reason: str) -> None:
    with pytest.raises((InvalidArgumentError, InvalidPhotoError)) as caught:
        await send(world.acme, sent)
    assert caught.value.reason == reason


async def test_a_bomb_is_refused_before_it_is_unpacked(world: World) -> None:
    packed = io.BytesIO()
    Image.new("1", (9_000, 9_000)).save(packed, "PNG")
    with pytest.raises(InvalidPhotoError) as caught:
        await verify(world.acme, packed.getvalue())
    assert caught.value.reason in ("PHOTO_TOO_MANY_PIXELS", "PHOTO_TOO_COSTLY")


async def test_a_stream_counts_among_the_tenants_photo_streams(world: World) -> None:
    await world.kill()
    await world.start(uploads_per_tenant=0)
    with pytest.raises(ResourceExhaustedError, match="UPLOADS_BUSY"):
        await verify(world.acme, selfie(1))
