"""The SDK against a gateway in memory, over real gRPC and the real interceptors."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from headshots.client import (
    AsyncHeadshots,
    Gallery,
    ImageFormat,
    JobFailedError,
    JobState,
    PaintedImage,
    Priority,
    Remix,
    ShotPreview,
    Subject,
    TrainingOptions,
)
from headshots.errors import (
    CancelledByCallerError,
    FailedPreconditionError,
    InvalidArgumentError,
    InvalidPhotoError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
)
from headshots.rpc.server import RunningServer
from headshots.v1 import galleries_pb2, images_pb2, jobs_pb2, trainings_pb2
from tests.support.fake_gateway import API_KEY, STEPS, STYLES, FakeGateway, painted_png, start_fake_gateway
from tests.support.ports import free_port
from tests.support.waiting import PATIENCE_SECONDS


@pytest.fixture
def fake() -> FakeGateway:
    return FakeGateway()


@pytest.fixture
async def server(fake: FakeGateway) -> AsyncIterator[RunningServer]:
    running = await start_fake_gateway(fake)
    yield running
    await running.stop()


@pytest.fixture
async def client(server: RunningServer) -> AsyncIterator[AsyncHeadshots]:
    async with AsyncHeadshots(f"127.0.0.1:{server.port}", API_KEY, reconnect_seconds=PATIENCE_SECONDS) as client:
        yield client


def selfie(number: int) -> bytes:
    packed = io.BytesIO()
    Image.new("RGB", (64, 48), (number, 90, 90)).save(packed, "JPEG")
    return packed.getvalue()


async def subject_with_photos(client: AsyncHeadshots, count: int = 6) -> Subject:
    subject = await client.create_subject("Ada", class_noun="woman")
    await client.upload_photos(subject, [selfie(number) for number in range(count)])
    return subject


async def trained(client: AsyncHeadshots) -> Subject:
    subject = await subject_with_photos(client)
    await client.train(subject)
    return subject


async def test_photos_are_inspected_stored_ones_first(
    client: AsyncHeadshots, fake: FakeGateway, tmp_path: Path
) -> None:
    subject = await subject_with_photos(client, 5)
    candidate, broken, huge = (tmp_path / name for name in ("more.jpg", "broken.jpg", "huge.png"))
    candidate.write_bytes(selfie(9))
    broken.write_bytes(b"not an image")
    with huge.open("wb") as file:
        file.truncate(20 * 2**20 + 1)
    found = await client.inspect_photos(subject, [candidate, broken, huge, selfie(10)])
    assert [photo.usable for photo in found.photos] == [*([True] * 6), False, False, True]
    stored = [photo.name async for photo in client.list_photos(subject)]
    assert [photo.name for photo in found.photos] == [*stored, "", "", "", ""]
    assert [photo.filename for photo in found.photos[5:]] == ["more.jpg", "broken.jpg", "huge.png", ""]
    assert [photo.findings[0].cause for photo in found.photos[6:8]] == ["PHOTO_UNDECODABLE", "PHOTO_TOO_LARGE"]
    assert (found.photos[6].findings[0].measured, found.photos[6].findings[0].duplicate_of) == (None, None)
    assert (found.ready_to_train, found.usable_count, found.faces_checked) == (True, 7, False)
    assert len(fake.photos[subject.name]) == 5


async def test_candidates_alone_need_no_subject(client: AsyncHeadshots) -> None:
    found = await client.inspect_photos(photos=[selfie(1), selfie(2)])
    (few,) = found.findings
    assert (few.reason, few.measured, few.limit, found.ready_to_train) == ("TOO_FEW", 2.0, 6.0, False)
    with pytest.raises(FileNotFoundError):
        await client.inspect_photos(photos=["nowhere.jpg"])
    with pytest.raises(NotFoundError):
        await client.inspect_photos("nobody")


async def test_a_training_may_name_its_photos(client: AsyncHeadshots, fake: FakeGateway) -> None:
    subject = await client.create_subject()
    await client.upload_photos(subject, [painted_png("selfie", number) for number in range(8)])
    found = await client.inspect_photos(subject)
    training = await client.train(subject, photos=[photo for photo in found.photos if photo.usable][:7])
    assert training.photo_count == 7
    (request,) = [each for each in fake.requests if isinstance(each, trainings_pb2.CreateTrainingRequest)]
    assert list(request.photos) == [photo.name for photo in found.photos[:7]]


async def test_tenant_and_styles(client: AsyncHeadshots) -> None:
    assert (await client.get_tenant()).name == "tenants/t1"
    styles = [style async for style in client.list_styles(page_size=2)]
    assert [style.name for style in styles] == [f"styles/{style}" for style in STYLES]
    assert await client.get_style(STYLES[1]) == await client.get_style(styles[1]) == styles[1]
    assert styles[1].outfit == "studio-grey"


async def test_subjects_page_and_die(client: AsyncHeadshots, fake: FakeGateway) -> None:
    made = [await client.create_subject(f"person {number}") for number in range(5)]
    listed = [subject async for subject in client.list_subjects(page_size=2)]
    assert listed == made[::-1]
    assert fake.calls["ListSubjects"] == 3
    assert made[0].class_noun == "person"
    assert made[0].create_time is not None
    assert made[0].create_time.tzinfo is not None
    assert made[0].adapter is None
    assert await client.get_subject(made[0].name.removeprefix("subjects/")) == made[0]
    assert await client.delete_subject(made[0]) == 0
    with pytest.raises(NotFoundError) as caught:
        await client.get_subject(made[0])
    assert caught.value.reason == "SUBJECT_NOT_FOUND"


async def test_creates_carry_fresh_request_ids(client: AsyncHeadshots) -> None:
    first, second = await client.create_subject(), await client.create_subject()
    assert first.name != second.name
    assert await client.create_subject(request_id="mine") == await client.create_subject(request_id="mine")


async def test_upload_takes_paths_and_bytes_and_keeps_order(client: AsyncHeadshots, tmp_path: Path) -> None:
    path = tmp_path / "ada at the sea.jpg"
    path.write_bytes(selfie(1))
    large = selfie(2) + bytes(2 * 2**20)
    subject = await client.create_subject()
    photos = await client.upload_photos(subject, [path, large, selfie(3)])
    assert [photo.filename for photo in photos] == ["ada at the sea.jpg", "", ""]
    assert [photo.size_bytes for photo in photos] == [path.stat().st_size, len(large), len(selfie(3))]
    assert (photos[0].width_px, photos[0].height_px) == (64, 48)
    assert [photo async for photo in client.list_photos(subject, page_size=2)] == photos


async def test_refused_photo_names_itself(client: AsyncHeadshots) -> None:
    subject = await client.create_subject()
    with pytest.raises(InvalidPhotoError, match="photo 1") as caught:
        await client.upload_photos(subject, [selfie(0), b"not an image"])
    assert caught.value.reason == "PHOTO_UNDECODABLE"
    assert isinstance(caught.value, ValueError)
    assert (await client.get_subject(subject)).photo_count == 0


async def test_upload_refused_midway_tells_why(client: AsyncHeadshots) -> None:
    with pytest.raises(NotFoundError, match="subjects/nobody"):
        await client.upload_photos("nobody", [selfie(0) + bytes(5 * 2**20)] * 4)


async def test_empty_photo_breaks_a_constraint(client: AsyncHeadshots) -> None:
    subject = await client.create_subject()
    with pytest.raises(InvalidArgumentError) as caught:
        await client.upload_photos(subject, [b""])
    assert [violation.field for violation in caught.value.violations] == ["photo.size_bytes"]


async def test_unreadable_path_stores_nothing(client: AsyncHeadshots, tmp_path: Path) -> None:
    subject = await client.create_subject()
    with pytest.raises(FileNotFoundError):
        await client.upload_photos(subject, [selfie(0), tmp_path / "missing.jpg"])
    assert (await client.get_subject(subject)).photo_count == 0


async def test_train_reports_progress_and_answers_the_adapter(client: AsyncHeadshots, fake: FakeGateway) -> None:
    subject = await subject_with_photos(client)
    seen: list[tuple[JobState, int]] = []
    options = TrainingOptions(steps=20, learning_rate=0.001)
    training = await client.train(subject, options, on_progress=lambda now: seen.append((now.state, now.step)))
    assert training.state is JobState.SUCCEEDED
    assert training.adapter is not None
    assert training.adapter.sha256 == "ab" * 32
    assert [point.step for point in training.curve] == [5, 10, 15, 20]
    assert training.options == options
    assert training.likeness is None
    assert seen[0] == (JobState.PENDING, 0)
    assert seen[-1] == (JobState.SUCCEEDED, STEPS)
    assert [step for _, step in seen] == sorted(step for _, step in seen)
    assert (await client.get_subject(subject)).adapter == training.adapter
    assert [each async for each in client.list_trainings(subject)] == [await client.get_training(training)]


async def test_eta_arrives_in_seconds(client: AsyncHeadshots) -> None:
    training = await client.create_training(await subject_with_photos(client))
    etas = [now.eta_seconds async for now in client.watch_training(training)]
    assert etas == [None, 1.5, 1.0, 0.5, 0.0, None]


async def test_training_that_fails_raises_its_reason(client: AsyncHeadshots, fake: FakeGateway) -> None:
    fake.training_failure = jobs_pb2.Failure(reason="TRAINING_DIVERGED", message="lower the learning rate")
    subject = await subject_with_photos(client)
    with pytest.raises(JobFailedError, match="lower the learning rate") as caught:
        await client.train(subject)
    assert caught.value.reason == "TRAINING_DIVERGED"
    assert caught.value.job.state is JobState.FAILED


async def test_too_few_photos_is_a_failed_precondition(client: AsyncHeadshots) -> None:
    subject = await subject_with_photos(client, count=2)
    with pytest.raises(FailedPreconditionError) as caught:
        await client.create_training(subject)
    assert caught.value.reason == "TOO_FEW_PHOTOS"


async def test_validate_only_makes_nothing(client: AsyncHeadshots, fake: FakeGateway) -> None:
    subject = await subject_with_photos(client)
    assert (await client.create_training(subject, validate_only=True)).photo_count == 6
    assert fake.trainings == {}


async def test_cancelled_jobs_raise_on_wait(client: AsyncHeadshots) -> None:
    subject = await trained(client)
    training = await client.create_training(subject)
    assert (await client.cancel_training(training)).state is JobState.CANCELLED
    with pytest.raises(CancelledByCallerError):
        await client.wait_training(training)
    gallery = await client.create_gallery(subject, [STYLES[0]])
    await client.cancel_gallery(gallery)
    with pytest.raises(CancelledByCallerError):
        await client.wait_gallery(gallery)


async def test_generate_yields_files_in_order(client: AsyncHeadshots) -> None:
    subject = await trained(client)
    painted = [each async for each in client.generate(subject, STYLES[:2], shots_per_style=2, seed=7)]
    assert [(each.image.style, each.image.seed) for each in painted] == [
        (f"styles/{style}", seed) for style in STYLES[:2] for seed in (7, 8)
    ]
    assert all(each.content == painted_png(each.image.style, each.image.seed) for each in painted)
    assert await client.get_image(painted[3].image) == painted[3]


async def test_gallery_fields_and_events(client: AsyncHeadshots, fake: FakeGateway) -> None:
    subject = await trained(client)
    gallery = await client.create_gallery(
        subject,
        STYLES,
        shots_per_style=1,
        format=ImageFormat.WEBP,
        quality=80,
        priority=Priority.HIGH,
    )
    asked = fake.requests[-1]
    assert asked.format == images_pb2.IMAGE_FORMAT_WEBP
    assert asked.priority == jobs_pb2.PRIORITY_HIGH
    assert asked.quality == 80
    events = [event async for event in client.watch_gallery(gallery, include_previews=True)]
    assert [type(event) for event in events] == [Gallery, *([ShotPreview, PaintedImage] * 3), Gallery]
    assert all(event.content == b"" for event in events if isinstance(event, PaintedImage))
    last = events[-1]
    assert isinstance(last, Gallery)
    assert (last.state, last.completed_shots, last.total_shots) == (JobState.SUCCEEDED, 3, 3)
    again = [event async for event in client.watch_gallery(gallery, include_content=True)]
    assert [type(event) for event in again] == [*([PaintedImage] * 3), Gallery]
    whole = await client.wait_gallery(gallery)
    assert [image.seed for image in whole.images] == [0, 0, 0]
    assert [each async for each in client.list_galleries(subject)] == [whole]


async def test_a_gallery_over_an_image(client: AsyncHeadshots, fake: FakeGateway) -> None:
    subject = await trained(client)
    (first,) = [each async for each in client.generate(subject, [STYLES[0]], shots_per_style=1)]
    remix = Remix(first.image.name, repaint=0.3)
    gallery = await client.create_gallery(subject, [STYLES[1]], remix=remix)
    assert gallery.remix == remix
    assert fake.requests[-1].remix == galleries_pb2.Remix(image=first.image.name, repaint=0.3)
    assert [each async for each in client.generate(subject, [STYLES[1]], remix=Remix(first.image.name))]
    assert {made.remix for made in [each async for each in client.list_galleries(subject)]} == {
        None,
        remix,
        Remix(first.image.name, None),
    }


async def test_gallery_that_fails_raises_after_its_images(client: AsyncHeadshots, fake: FakeGateway) -> None:
    subject = await trained(client)
    fake.gallery_failure = jobs_pb2.Failure(reason="SHOTS_FAILED", message="3 of 4 shots failed")
    painted = client.generate(subject, [STYLES[0]])
    assert (await anext(painted)).image.seed == 0
    with pytest.raises(JobFailedError, match="3 of 4"):
        await anext(painted)


async def test_idempotent_calls_are_retried_and_uploads_are_not(client: AsyncHeadshots, fake: FakeGateway) -> None:
    fake.unavailable.update({"GetTenant": 2, "CreateSubject": 1, "UploadPhotos": 1, "DeleteSubject": 1})
    await client.get_tenant()
    assert fake.calls["GetTenant"] == 3
    subject = await client.create_subject()
    assert fake.calls["CreateSubject"] == 2
    assert len(fake.subjects) == 1
    with pytest.raises(UnavailableError):
        await client.upload_photos(subject, [selfie(0)])
    with pytest.raises(UnavailableError):
        await client.delete_subject(subject)
    assert (fake.calls["UploadPhotos"], fake.calls["DeleteSubject"]) == (1, 1)


async def test_watches_survive_a_gateway_that_goes_away(client: AsyncHeadshots, fake: FakeGateway) -> None:
    subject = await subject_with_photos(client)
    fake.cut_after = [2, 0, 1]
    assert (await client.train(subject)).state is JobState.SUCCEEDED
    assert fake.calls["WatchTraining"] == 4
    fake.cut_after = [2, 3]
    painted = [each async for each in client.generate(subject, STYLES[:2], shots_per_style=2)]
    assert [each.image.name.rpartition("/")[2] for each in painted] == ["0", "1", "2", "3"]
    assert fake.calls["WatchGallery"] == 3


async def test_watch_finds_the_gateway_again_on_its_port(fake: FakeGateway) -> None:
    first = await start_fake_gateway(fake, port=free_port())
    async with AsyncHeadshots(f"127.0.0.1:{first.port}", API_KEY, reconnect_seconds=PATIENCE_SECONDS) as client:
        training = await client.create_training(await subject_with_photos(client))
        watch = client.watch_training(training)
        assert (await anext(watch)).state is JobState.PENDING
        await first.stop()
        second = await start_fake_gateway(fake, port=first.port)
        states = [now.state async for now in watch]
        assert states[-1] is JobState.SUCCEEDED
        await second.stop()


async def test_watch_gives_up_in_time(fake: FakeGateway) -> None:
    running = await start_fake_gateway(fake)
    async with AsyncHeadshots(f"127.0.0.1:{running.port}", API_KEY, reconnect_seconds=0.3) as client:
        training = await client.create_training(await subject_with_photos(client))
        await running.stop()
        with pytest.raises(UnavailableError):
            await client.wait_training(training)


async def test_wrong_key_and_nobody_there(server: RunningServer) -> None:
    async with AsyncHeadshots(f"127.0.0.1:{server.port}", "hs_wrong") as client:
        with pytest.raises(UnauthenticatedError, match="keys create"):
            await client.get_tenant()
        training = "subjects/s0/trainings/t0"
        with pytest.raises(UnauthenticatedError):
            await client.wait_training(training)
    await server.stop()
    async with AsyncHeadshots(f"127.0.0.1:{server.port}", API_KEY, timeout_seconds=PATIENCE_SECONDS) as client:
        with pytest.raises(UnavailableError) as caught:
            await client.get_tenant()
    assert caught.value.reason == "SERVER_UNREACHABLE"


async def test_unknown_style_and_bad_field_are_told_apart(client: AsyncHeadshots) -> None:
    subject = await trained(client)
    with pytest.raises(NotFoundError, match="ListStyles"):
        await client.create_gallery(subject, ["no-such-style"])
    with pytest.raises(InvalidArgumentError) as caught:
        await client.create_gallery(subject, [STYLES[0]], shots_per_style=65, quality=101)
    assert {violation.field for violation in caught.value.violations} == {"quality", "shots_per_style"}
