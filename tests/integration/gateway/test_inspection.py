"""InspectPhotos through real gRPC: stored photos and candidates, every reason by name, and nothing left behind."""

from __future__ import annotations

import asyncio
import contextlib
import io
import tempfile
import threading
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import grpc.aio
import pillow_heif
import pytest
from PIL import Image

from headshots import schema
from headshots.errors import (
    DeadlineExceededError,
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    ResourceExhaustedError,
)
from headshots.rpc.channel import error_from_rpc
from headshots.v1 import photos_pb2, trainings_pb2
from tests.support.faces import ColourAnalyzer
from tests.support.gateway_world import CHUNK_BYTES, Caller, World, opened_world, refused
from tests.support.pictures import blurred, files, lit, packed, portrait
from tests.support.waiting import PATIENCE_SECONDS, until

BROKEN = b"I am not an image"
CHUNK = 100 * CHUNK_BYTES


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """With an analyzer."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    async with opened_world(tmp_path) as world:
        await again(world, analyzer=True)
        yield world
    assert list(scratch.iterdir()) == [], "scratch files stay behind"


async def again(world: World, *, analyzer: bool, **changes: object) -> None:
    """Another gateway, with or without an analyzer."""
    await world.kill()
    world.analyzer = ColourAnalyzer() if analyzer else None
    await world.start(**{"photo_max_pixels": 1_000_000, **changes})


def messages(parent: str, photos: Iterable[bytes] = ()) -> list[photos_pb2.InspectPhotosRequest]:
    """A well-formed inspection."""
    found = [photos_pb2.InspectPhotosRequest(header=photos_pb2.InspectPhotosHeader(parent=parent))]
    for number, photo in enumerate(photos):
        start = photos_pb2.CandidatePhoto(filename=f"{number}.png", size_bytes=len(photo))
        found.append(photos_pb2.InspectPhotosRequest(photo=start))
        found += [photos_pb2.InspectPhotosRequest(chunk=photo[at : at + CHUNK]) for at in range(0, len(photo), CHUNK)]
    return found


async def send(caller: Caller, requests: Iterable[photos_pb2.InspectPhotosRequest]) -> photos_pb2.InspectPhotosResponse:
    try:
        answer = await caller.stub.InspectPhotos(iter(requests), metadata=caller.metadata, timeout=PATIENCE_SECONDS)
    except grpc.aio.AioRpcError as error:
        raise error_from_rpc(error) from error
    assert isinstance(answer, photos_pb2.InspectPhotosResponse)
    return answer


async def inspect(caller: Caller, parent: str, *photos: bytes) -> photos_pb2.InspectPhotosResponse:
    return await send(caller, messages(parent, photos))


def reasons(answer: photos_pb2.InspectPhotosResponse) -> list[list[str]]:
    return [[finding.reason for finding in photo.findings] for photo in answer.photos]


async def test_stored_photos_that_are_good_are_ready_to_train(world: World) -> None:
    subject = await world.acme.subject()
    stored = await world.acme.upload(subject, *files(range(6), "ada"))
    answer = await inspect(world.acme, subject)
    assert [photo.name for photo in answer.photos] == [photo.name for photo in stored]
    assert [(photo.filename, photo.usable) for photo in answer.photos] == [(f"{n}.jpg", True) for n in range(6)]
    assert {(photo.width_px, photo.height_px) for photo in answer.photos} == {(256, 256)}
    assert (answer.usable_count, answer.ready_to_train, list(answer.findings)) == (6, True, [])
    assert (answer.faces_checked, answer.analyzer) == (True, "colour-1")


async def test_each_candidate_is_told_its_own_reasons_and_nothing_is_kept(world: World) -> None:
    subject = await world.acme.subject()
    candidates = {
        "GOOD": packed(portrait(0, "ada")),
        "UNDECODABLE": BROKEN,
        "BLURRY": packed(blurred(portrait(1, "ada"))),
        "NO_FACE": packed(portrait(2)),
        "MULTIPLE_FACES": packed(portrait(3, "ada", "bob")),
        "FACE_TOO_SMALL": packed(portrait(4, "ada", box=(100, 100, 130, 130))),
        "FACE_CUT_OFF": packed(portrait(5, "ada").crop((110, 0, 256, 256))),
        "DIFFERENT_PERSON": packed(portrait(6, "bob")),
        "TOO_SMALL": packed(portrait(7, "ada").resize((80, 80), Image.Resampling.NEAREST)),
        "DUPLICATE": packed(portrait(0, "ada"), "WEBP"),
    }
    good = files(range(20, 25), "ada")
    answer = await inspect(world.acme, subject, *candidates.values(), *good)
    expected = [[], *([name] for name in list(candidates)[1:])]
    assert reasons(answer) == [*expected, *([[]] * 5)]
    by_reason = {finding.reason: finding for photo in answer.photos for finding in photo.findings}
    assert by_reason["DUPLICATE"].duplicate_of == 0
    assert by_reason["UNDECODABLE"].cause == "PHOTO_UNDECODABLE"
    assert not by_reason["UNDECODABLE"].HasField("measured")
    # Half of what the generator's foundation paints.
    assert (by_reason["TOO_SMALL"].measured, by_reason["TOO_SMALL"].limit) == (80, 128)
    assert all(finding.message for finding in by_reason.values())
    assert all(by_reason[name].HasField("limit") for name in by_reason if name != "UNDECODABLE")
    assert [photo.name for photo in answer.photos] == [""] * 15
    assert (answer.usable_count, answer.ready_to_train) == (6, True)
    assert await world.photo_leftovers() == ([], [])


async def test_candidates_are_judged_beside_what_the_subject_has(world: World) -> None:
    subject = await world.acme.subject()
    stored = await world.acme.upload(subject, *files(range(5), "ada"))
    before = await world.photo_leftovers()
    answer = await inspect(world.acme, subject, *files([4, 9], "ada"), packed(portrait(10, "eve")))
    assert [photo.name for photo in answer.photos] == [*(photo.name for photo in stored), "", "", ""]
    assert reasons(answer) == [[], [], [], [], [], ["DUPLICATE"], [], ["DIFFERENT_PERSON"]]
    assert answer.photos[5].findings[0].duplicate_of == 4
    assert answer.ready_to_train
    assert await world.photo_leftovers() == before


async def test_candidates_need_no_subject(world: World) -> None:
    answer = await inspect(world.acme, "", *files(range(3), "ada"))
    assert reasons(answer) == [[], [], []]
    (few,) = answer.findings
    assert (few.reason, few.measured, few.limit) == ("TOO_FEW", 3, 6)
    assert not answer.ready_to_train


async def test_without_an_analyzer_faces_are_not_spoken_of(world: World) -> None:
    await again(world, analyzer=False)
    photos = [packed(lit(0.2)(portrait(0))), packed(portrait(1)), packed(portrait(2, "ada", "bob"))]
    answer = await inspect(world.acme, "", *photos, *files(range(10, 16), "eve"))
    assert reasons(answer) == [["TOO_DARK"], *([[]] * 8)]
    assert (answer.faces_checked, answer.analyzer, answer.ready_to_train) == (False, "", True)


async def test_empty_and_huge_files_are_answers_and_their_bytes_are_not_sent(world: World) -> None:
    huge = photos_pb2.InspectPhotosRequest(
        photo=photos_pb2.CandidatePhoto(filename="raw.png", size_bytes=20 * 2**20 + 1)
    )
    empty = photos_pb2.InspectPhotosRequest(photo=photos_pb2.CandidatePhoto(filename="empty.png"))
    answer = await send(
        world.acme, [*messages("", files([0], "ada")), huge, empty, *messages("", files([1], "ada"))[1:]]
    )
    assert reasons(answer) == [[], ["UNDECODABLE"], ["UNDECODABLE"], []]
    assert [photo.findings[0].cause for photo in answer.photos[1:3]] == ["PHOTO_TOO_LARGE", "PHOTO_UNDECODABLE"]
    with refused(InvalidArgumentError, "UPLOAD_MALFORMED"):
        await send(world.acme, [*messages(""), huge, photos_pb2.InspectPhotosRequest(chunk=b"x")])


@pytest.mark.parametrize("format_name", ["JPEG", "WEBP", "HEIC"])
async def test_phones_formats_are_read(world: World, format_name: str) -> None:
    out = io.BytesIO()
    if format_name == "HEIC":
        pillow_heif.from_pillow(portrait(0, "ada")).save(out, quality=95)
    else:
        portrait(0, "ada").save(out, format_name, quality=95)
    answer = await inspect(world.acme, "", out.getvalue())
    assert "UNDECODABLE" not in reasons(answer)[0]
    assert (answer.photos[0].width_px, answer.photos[0].height_px) == (256, 256)


async def test_malformed_streams_are_refused(world: World) -> None:
    subject = await world.acme.subject()
    good = messages(subject, files([0], "ada"))
    start = photos_pb2.InspectPhotosRequest(photo=photos_pb2.CandidatePhoto(size_bytes=10))
    cases = [
        ([], "UPLOAD_MALFORMED"),
        (messages(""), "NO_PHOTOS"),
        (good[1:], "UPLOAD_MALFORMED"),
        ([*good, good[0]], "UPLOAD_MALFORMED"),
        ([*good, start], "UPLOAD_INCOMPLETE"),
        ([*good, start, photos_pb2.InspectPhotosRequest(chunk=bytes(11))], "UPLOAD_MALFORMED"),
        ([*messages(subject), *([*messages("", [BROKEN])[1:]] * 101)], "TOO_MANY_PHOTOS"),
        (
            [*good, photos_pb2.InspectPhotosRequest(photo=photos_pb2.CandidatePhoto(size_bytes=-1))],
            "CONSTRAINT_VIOLATED",
        ),
        ([*good, photos_pb2.InspectPhotosRequest()], "CONSTRAINT_VIOLATED"),
        (messages("subjects/../x"), "CONSTRAINT_VIOLATED"),
    ]
    for requests, reason in cases:
        with refused(InvalidArgumentError, reason):
            await send(world.acme, requests)
    assert await world.photo_leftovers() == ([], [])


async def test_nobody_inspects_another_tenants_photos(world: World) -> None:
    subject = await world.acme.subject()
    await world.acme.upload(subject, *files([0], "ada"))
    with refused(NotFoundError, "SUBJECT_NOT_FOUND"):
        await inspect(world.caller(world.keys["globex"]), subject)
    with refused(NotFoundError, "SUBJECT_NOT_FOUND"):
        await inspect(world.acme, "subjects/nobody", BROKEN)


async def test_a_silent_inspection_is_ended_and_gives_its_place_back(world: World) -> None:
    await again(world, analyzer=True, uploads_at_once=1, upload_idle_seconds=0.5)
    call = world.acme.stub.InspectPhotos(metadata=world.acme.metadata)
    await call.write(messages("")[0])
    with refused(DeadlineExceededError, "UPLOAD_IDLE"):
        try:
            await call
        except grpc.aio.AioRpcError as error:
            raise error_from_rpc(error) from error

    async def may_inspect() -> bool:
        # Where we are slower than that ourselves we are asked to try again, but not because the place is taken.
        with contextlib.suppress(DeadlineExceededError):
            return reasons(await inspect(world.acme, "", *files([0], "ada"))) == [[]]
        return False

    await until(may_inspect)


class HeldAnalyzer(ColourAnalyzer):
    """Looks once `go` is set; remembers on which thread."""

    def __init__(self) -> None:
        super().__init__()
        self.go, self.looking = threading.Event(), threading.Event()
        self.threads: list[threading.Thread] = []

    def faces(self, pixels_HWC):  # type: ignore[no-untyped-def]
        self.threads.append(threading.current_thread())
        self.looking.set()
        assert self.go.wait(2 * PATIENCE_SECONDS)
        return super().faces(pixels_HWC)


async def test_looking_holds_nobody_else_up(world: World) -> None:
    await again(world, analyzer=True, uploads_at_once=1)
    await world.kill()
    world.analyzer = held = HeldAnalyzer()
    await world.start(photo_max_pixels=1_000_000, uploads_at_once=1)
    inspecting = asyncio.create_task(inspect(world.acme, "", *files([0], "ada")))
    await until(held.looking.is_set)
    assert await world.acme.subject(), "the event loop answers others meanwhile"
    with refused(ResourceExhaustedError, "UPLOADS_BUSY"):
        await inspect(world.acme, "", BROKEN)
    held.go.set()
    assert reasons(await inspecting) == [[]]
    assert threading.main_thread() not in held.threads


async def test_a_training_learns_from_the_photos_that_are_named(world: World) -> None:
    subject = await world.acme.subject()
    await world.acme.upload(subject, *files(range(6), "ada"), packed(blurred(portrait(8, "ada"))))
    answer = await inspect(world.acme, subject)
    usable = [photo.name for photo in answer.photos if photo.usable]
    assert len(usable) == 6
    request = trainings_pb2.CreateTrainingRequest(parent=subject, photos=usable)
    training = (await world.acme("CreateTraining", request)).training
    assert training.photo_count == 6
    await until(lambda: bool(world.trainer.requests))
    (asked,) = world.trainer.requests.values()
    stored = {row.object_sha256: row.filename for row in world.rows(schema.photos)}
    assert [stored[photo.sha256] for photo in asked.photos] == [f"{number}.jpg" for number in range(6)]


async def test_photos_that_are_not_the_subjects_cannot_be_trained_on(world: World) -> None:
    subject, other = await world.acme.subject(), await world.acme.subject()
    mine = await world.acme.upload(subject, *files(range(6), "ada"))
    (foreign,) = await world.acme.upload(other, *files([9], "eve"))
    names = [photo.name for photo in mine]
    for wanted in ([*names, foreign.name], [*names, f"{subject}/photos/{'0' * 32}"]):
        with refused(NotFoundError, "PHOTO_NOT_FOUND"):
            await world.acme("CreateTraining", trainings_pb2.CreateTrainingRequest(parent=subject, photos=wanted))
    with refused(FailedPreconditionError, "TOO_FEW_PHOTOS"):
        await world.acme("CreateTraining", trainings_pb2.CreateTrainingRequest(parent=subject, photos=names[:5]))
    for wanted in ([*names, names[0]], ["subjects/x"]):
        with refused(InvalidArgumentError, "CONSTRAINT_VIOLATED"):
            await world.acme("CreateTraining", trainings_pb2.CreateTrainingRequest(parent=subject, photos=wanted))
