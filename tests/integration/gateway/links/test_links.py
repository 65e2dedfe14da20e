"""Links to images: who gets them, what they open, and when they no longer do."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import time
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from obstore.store import S3Store

from headshots import schema
from headshots.artifacts import ArtifactStore
from headshots.database import database_now
from headshots.errors import FailedPreconditionError, InvalidArgumentError, NotFoundError
from headshots.rpc.internal.secret import Secret
from headshots.v1 import galleries_pb2, subjects_pb2
from services.gateway.audit.log import AuditLog
from services.gateway.links.engine import LinkEngine
from services.gateway.links.makers import StoreLinks
from services.gateway.links.models import LinkedFile
from services.gateway.links.tokens import LinkTokens
from tests.support.gateway.caller import refused
from tests.support.gateway.http import open_url
from tests.support.gateway.world import World
from tests.support.grants import KEY_FILE

# The gateway's expiry times are by the clock of this machine, to the second.
SLACK_SECONDS = 60


@pytest.fixture
async def serving(world: World) -> World:
    """The gateway serves links."""
    await world.kill()
    await world.start(links_port=0)
    return world


@pytest.fixture
async def gallery(serving: World) -> galleries_pb2.Gallery:
    """A finished one of three images."""
    subject = await serving.acme.trained_subject()
    return await serving.acme.finished_gallery(await serving.acme.gallery(subject, shots_per_style=3))


async def links(world: World, gallery: Any, images: list[str], **fields: Any) -> list[galleries_pb2.ImageLink]:
    request = galleries_pb2.CreateImageLinksRequest(parent=gallery.name, images=images, **fields)
    return list((await world.acme("CreateImageLinks", request)).links)


async def test_whoever_has_a_link_gets_the_file(serving: World, gallery: galleries_pb2.Gallery) -> None:
    wanted = [gallery.images[2], gallery.images[0]]
    made = await links(serving, gallery, [image.name for image in wanted])
    assert [link.image for link in made] == [image.name for image in wanted]
    for link, image in zip(made, wanted, strict=True):
        got = await open_url(link.url)
        assert got.status == 200
        assert hashlib.sha256(got.body).hexdigest() == image.sha256
        assert got.headers["Content-Type"] == image.content_type
        assert got.headers["Content-Length"] == str(image.size_bytes)
        assert got.headers["Cache-Control"] == "private"
        assert got.headers["Content-Disposition"] == f'inline; filename="studio-navy-suit-{image.seed}.png"'
        assert got.headers["X-Content-Type-Options"] == "nosniff"
        head = await open_url(link.url, "HEAD")
        assert (head.status, head.headers["Content-Length"], head.body) == (200, str(image.size_bytes), b"")


@pytest.mark.parametrize("column", [schema.retentions.c.expires_at, schema.galleries.c.images_expire_at], ids=str)
async def test_no_link_is_made_for_longer_than_its_subject_and_its_image_are_kept(
    serving: World, gallery: galleries_pb2.Gallery, column: sa.Column[float]
) -> None:
    with serving.database.begin() as connection:
        soon = database_now(connection) + 600.0
        connection.execute(sa.update(column.table).values({column.name: soon}))
    (link,) = await links(serving, gallery, [gallery.images[0].name], valid_seconds=604800)
    assert soon - SLACK_SECONDS < link.expire_time.seconds <= soon + 1


@pytest.mark.parametrize(("asked", "valid"), [(0, 3600), (1, 1), (604800, 604800)])
async def test_a_link_is_valid_for_as_long_as_was_asked(
    serving: World, gallery: galleries_pb2.Gallery, asked: int, valid: int
) -> None:
    before = time.time()
    [link] = await links(serving, gallery, [gallery.images[0].name], valid_seconds=asked)
    expires = link.expire_time.ToSeconds()
    assert before + valid <= expires <= before + valid + SLACK_SECONDS
    payload = urlsplit(link.url).path.rsplit("/", 1)[1].split(".")[0]
    assert json.loads(base64.urlsafe_b64decode(payload + "=="))["expires_at"] == expires


async def test_an_expired_and_a_changed_link_are_refused_in_a_sentence(
    serving: World, gallery: galleries_pb2.Gallery
) -> None:
    [link] = await links(serving, gallery, [gallery.images[0].name])
    [key, *_] = await serving.store.list("tenants/acme")
    base = link.url.rsplit("/", 1)[0]
    expired = LinkTokens(Secret(serving.folder / KEY_FILE)).sign(LinkedFile(key, "image/png", "a.png"), 1)
    for url in (f"{base}/{expired}", link.url[:-1] + ("A" if link.url[-1] != "A" else "B"), f"{base}/", f"{base}/a.b"):
        got = await open_url(url)
        assert got.status == 403
        assert got.text == "This link is not valid or has expired; ask whoever sent it for a new one.\n"


async def test_a_link_ends_with_its_image(serving: World, gallery: galleries_pb2.Gallery) -> None:
    first, second, _ = await links(serving, gallery, [image.name for image in gallery.images])
    await serving.acme("DeleteImage", galleries_pb2.DeleteImageRequest(name=first.image))
    gone = await open_url(first.url)
    assert (gone.status, gone.text) == (404, "The image was deleted.\n")
    assert (await open_url(second.url)).status == 200
    subject = gallery.name.partition("/galleries/")[0]
    await serving.acme("DeleteSubject", subjects_pb2.DeleteSubjectRequest(name=subject))
    assert (await open_url(second.url)).status == 404


async def test_links_of_the_installation_go_on_when_a_gateway_is_replaced(
    serving: World, gallery: galleries_pb2.Gallery
) -> None:
    [link] = await links(serving, gallery, [gallery.images[0].name])
    port = urlsplit(link.url).port
    await serving.kill()
    await serving.start(links_port=port)
    assert (await open_url(link.url)).status == 200
    await serving.kill()
    with pytest.raises(ConnectionRefusedError):
        await open_url(link.url)


async def test_clients_are_told_the_url_before_the_port(serving: World, gallery: galleries_pb2.Gallery) -> None:
    await serving.kill()
    await serving.start(links_port=0, links_url="https://images.example.com/portraits/")
    [link] = await links(serving, gallery, [gallery.images[0].name])
    assert link.url.startswith("https://images.example.com/portraits/images/")


async def test_what_is_no_image_of_the_gallery_gets_no_link(serving: World, gallery: galleries_pb2.Gallery) -> None:
    own = gallery.images[0].name
    with refused(NotFoundError, "IMAGE_NOT_FOUND"):
        await links(serving, gallery, [own, f"{gallery.name}/images/3"])
    subject = gallery.name.partition("/galleries/")[0]
    other = await serving.acme.finished_gallery(await serving.acme.gallery(subject, shots_per_style=1, seed=50))
    with refused(InvalidArgumentError, "IMAGE_OF_ANOTHER_GALLERY") as caught:
        await links(serving, gallery, [own, other.images[0].name])
    assert [violation.field for violation in caught.value.violations] == ["images[1]"]


@pytest.mark.parametrize(
    "fields", [{"images": 0}, {"images": 161}, {"images": 1, "valid_seconds": 604801}, {"images": 1, "twice": 2}]
)
async def test_a_call_has_limits(serving: World, fields: dict[str, int]) -> None:
    name = "subjects/a/galleries/b"
    images = [f"{name}/images/{at}" for at in range(fields["images"])] * fields.get("twice", 1)
    request = galleries_pb2.CreateImageLinksRequest(
        parent=name, images=images, valid_seconds=fields.get("valid_seconds", 0)
    )
    with refused(InvalidArgumentError, "CONSTRAINT_VIOLATED"):
        await serving.acme("CreateImageLinks", request)


async def test_without_a_port_and_a_store_that_signs_there_are_none(
    serving: World, gallery: galleries_pb2.Gallery
) -> None:
    await serving.kill()
    await serving.start()
    with refused(FailedPreconditionError, "LINKS_NOT_SET_UP") as caught:
        await links(serving, gallery, [gallery.images[0].name])
    assert "HEADSHOTS_GATEWAY_LINKS_PORT" in caught.value.message


async def test_a_store_that_signs_serves_the_links_itself(serving: World, gallery: galleries_pb2.Gallery) -> None:
    bucket = S3Store("portraits", region="eu-west-1", access_key_id="an-id", secret_access_key="a-secret")
    cloud = ArtifactStore(bucket)
    assert (cloud.signs, serving.store.signs, ArtifactStore.open("memory:///").signs) == (True, False, False)
    subject_id, gallery_id = gallery.name.split("/")[1::2]
    engine = LinkEngine(
        serving.database,
        StoreLinks(cloud),
        AuditLog(serving.database, poll_seconds=1.0, keep_days=400),
        clock=lambda: 1000.0,
    )
    images = [(subject_id, gallery_id, number) for number in (1, 0)]
    made = await engine.create("acme", subject_id, gallery_id, images, 90)
    for link, number in zip(made, (1, 0), strict=True):
        key = f"tenants/acme/subjects/{subject_id}/images/{gallery.images[number].sha256}.png"
        assert urlsplit(link.url).path == f"/portraits/{key}"
        assert "X-Amz-Expires=90&" in link.url
        assert "a-secret" not in link.url
        assert (link.number, link.expires_at) == (number, 1090.0)


async def test_no_link_is_logged(
    serving: World, gallery: galleries_pb2.Gallery, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    [link] = await links(serving, gallery, [gallery.images[0].name])
    assert (await open_url(link.url)).status == 200
    assert (await open_url(link.url + "x")).status == 403
    assert link.url.rsplit(".", 1)[1] not in caplog.text


@pytest.mark.parametrize("values", [{"deleting": True}, {"expires_at": 1.0}], ids=["being erased", "expired"])
async def test_a_link_opens_nothing_of_a_subject_whose_objects_are_about_to_go(
    serving: World, gallery: galleries_pb2.Gallery, values: dict[str, Any]
) -> None:
    """It was made before the consent was withdrawn, and a job still has to end before anything is removed."""
    (link,) = await links(serving, gallery, [gallery.images[0].name])
    assert (await open_url(link.url)).status == 200
    table = schema.subjects if "deleting" in values else schema.retentions
    # The world's sweeps are half a minute apart: the objects stay.
    with serving.database.begin() as connection:
        connection.execute(sa.update(table).values(**values))
    answer = await open_url(link.url)
    assert (answer.status, answer.body) == (404, b"The image was deleted.\n")
    assert len([key for key in await serving.store.list("tenants") if "/images/" in key]) == 3
