"""An inspection tells every reason why photos are unfit to train on."""

from __future__ import annotations

import asyncio
import io
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

import pillow_heif
import pytest
from PIL import Image

from headshots import schema
from headshots.client import FINDING_OF_REFUSAL
from headshots.errors import HeadshotsError, InvalidArgumentError
from headshots.v1 import photos_pb2
from tests.support.gateway.caller import refused
from tests.support.gateway.inspections import BROKEN, LARGE_PHOTOS, inspect, messages, reasons, restart, send
from tests.support.gateway.world import World, opened_world
from tests.support.images.faces import ColourAnalyzer, YoungAnalyzer
from tests.support.images.pictures import blurred, files, lit, packed, portrait
from tests.support.waiting import until


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """With an analyzer."""
    async with opened_world(tmp_path, analyzer=ColourAnalyzer(), **LARGE_PHOTOS) as world:
        yield world


async def test_stored_photos_that_are_good_are_ready_to_train(world: World) -> None:
    subject = await world.acme.subject()
    stored = await world.acme.upload(subject, *files(range(6), "ada"))
    answer = await inspect(world.acme, subject)
    assert [photo.name for photo in answer.photos] == [photo.name for photo in stored]
    assert [(photo.filename, photo.usable) for photo in answer.photos] == [(f"{n}.jpg", True) for n in range(6)]
    assert {(photo.width_px, photo.height_px) for photo in answer.photos} == {(256, 256)}
    assert (answer.usable_count, answer.ready_to_train, list(answer.findings)) == (6, True, [])
    assert (answer.faces_checked, answer.analyzer) == (True, "colour-1")


@pytest.mark.parametrize("minors", ["review", "refuse", "ignore"])
async def test_who_may_be_a_minor_is_told_as_the_operator_wants(world: World, minors: str) -> None:
    await world.kill()
    world.analyzer = YoungAnalyzer()
    await world.start(photo_max_pixels=1_000_000, **({} if minors == "review" else {"minors": minors}))
    answer = await inspect(world.acme, "", *files(range(6), "ada"))
    told = {"findings": answer.findings, "reviews": answer.reviews}
    where = {"review": "reviews", "refuse": "findings"}.get(minors)
    for field, found in told.items():
        assert [finding.reason for finding in found] == (["POSSIBLY_MINOR"] if field == where else [])
    for finding in told.get(where or "", ()):
        assert (finding.measured, finding.limit) == (YoungAnalyzer.LOOKS, 25)
    assert answer.usable_count == 6
    assert answer.ready_to_train == (minors != "refuse")
    assert world.gateway is not None
    url = f"http://127.0.0.1:{world.gateway.server.metrics_port}/metrics"
    metrics = await asyncio.to_thread(lambda: urllib.request.urlopen(url).read().decode())
    counted = 'headshots_gateway_photo_findings_total{reason="POSSIBLY_MINOR"} 1.0' in metrics
    assert counted == (where is not None)


async def test_each_candidate_has_its_own_reasons_and_nothing_is_kept(world: World) -> None:
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
    assert await world.stored_photos() == ([], [])


async def test_what_an_upload_refuses_is_found_by_the_word_that_the_table_tells(world: World) -> None:
    good = packed(portrait(0, "ada"))
    narrow = packed(portrait(1, "ada").resize((80, 400)))
    two = io.BytesIO()
    portrait(2).save(two, "PNG", save_all=True, append_images=[portrait(3)])
    tiny = packed(portrait(4, "ada").resize((20, 20)))
    seen = set()
    for files_of in ([BROKEN], [narrow], [two.getvalue()], [tiny], [good, good], [b""], [good[: len(good) // 2]]):
        with pytest.raises(HeadshotsError) as caught:
            await world.acme.upload(await world.acme.subject(), *files_of)
        found = (await inspect(world.acme, "", *files_of)).photos[-1].findings
        expected = FINDING_OF_REFUSAL[caught.value.reason]
        assert expected in {finding.reason for finding in found}, caught.value.reason
        causes = {finding.cause for finding in found if finding.reason == "UNDECODABLE"}
        assert causes == ({caught.value.reason} if expected == "UNDECODABLE" else set())
        seen.add(caught.value.reason)
    assert len(seen) >= 5, seen


async def test_candidates_are_judged_beside_what_the_subject_has(world: World) -> None:
    subject = await world.acme.subject()
    stored = await world.acme.upload(subject, *files(range(5), "ada"))
    before = await world.stored_photos()
    answer = await inspect(world.acme, subject, *files([4, 9], "ada"), packed(portrait(10, "eve")))
    assert [photo.name for photo in answer.photos] == [*(photo.name for photo in stored), "", "", ""]
    assert reasons(answer) == [[], [], [], [], [], ["DUPLICATE"], [], ["DIFFERENT_PERSON"]]
    assert answer.photos[5].findings[0].duplicate_of == 4
    assert answer.ready_to_train
    assert await world.stored_photos() == before


async def test_candidates_need_no_subject(world: World) -> None:
    answer = await inspect(world.acme, "", *files(range(3), "ada"))
    assert reasons(answer) == [[], [], []]
    (few,) = answer.findings
    assert (few.reason, few.measured, few.limit) == ("TOO_FEW", 3, 6)
    assert not answer.ready_to_train


async def test_without_an_analyzer_nothing_is_reported_of_faces(world: World) -> None:
    await restart(world, analyzer=False)
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
async def test_formats_of_phones_are_read(world: World, format_name: str) -> None:
    out = io.BytesIO()
    if format_name == "HEIC":
        pillow_heif.from_pillow(portrait(0, "ada")).save(out, quality=95)
    else:
        portrait(0, "ada").save(out, format_name, quality=95)
    answer = await inspect(world.acme, "", out.getvalue())
    assert "UNDECODABLE" not in reasons(answer)[0]
    assert (answer.photos[0].width_px, answer.photos[0].height_px) == (256, 256)


async def test_a_training_learns_from_the_photos_that_are_named(world: World) -> None:
    subject = await world.acme.subject()
    await world.acme.upload(subject, *files(range(6), "ada"), packed(blurred(portrait(8, "ada"))))
    answer = await inspect(world.acme, subject)
    usable = [photo.name for photo in answer.photos if photo.usable]
    assert len(usable) == 6
    assert (await world.acme.create_training(subject, photos=usable)).photo_count == 6
    await until(lambda: bool(world.trainer.requests))
    (asked,) = world.trainer.requests.values()
    stored = {row.object_sha256: row.filename for row in world.rows(schema.photos)}
    assert [stored[photo.sha256] for photo in asked.photos] == [f"{number}.jpg" for number in range(6)]
