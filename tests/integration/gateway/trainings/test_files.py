"""The files of a training come in pieces, whole, and once it has succeeded; its adapter paints where it is named."""

from __future__ import annotations

import hashlib
import json

import pytest

from headshots.database import write
from headshots.errors import FailedPreconditionError, NotFoundError
from headshots.schema import retentions, subjects, trainings
from headshots.v1 import galleries_pb2, trainings_pb2
from services.gateway.trainings import files
from tests.support.gateway.caller import refused, selfie
from tests.support.gateway.world import World


async def download(world: World, name: str, file: trainings_pb2.TrainingFile | None = None) -> list[bytes]:
    request = trainings_pb2.DownloadTrainingFileRequest(name=name, file=file)
    pieces = [piece async for piece in world.acme.stream("DownloadTrainingFile", request)]
    assert [piece.size_bytes for piece in pieces[1:]] == [0] * len(pieces[1:])
    assert pieces[0].size_bytes == sum(len(piece.chunk) for piece in pieces)
    return [piece.chunk for piece in pieces]


async def test_an_adapter_comes_whole_in_pieces(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = await world.acme.trained_subject()
    [training] = [row.id for row in world.rows(trainings)]
    name = f"{subject}/trainings/{training}"
    adapter = (await world.acme.get_training(name)).adapter
    monkeypatch.setattr(files, "PIECE_BYTES", 100)
    pieces = await download(world, name)
    assert hashlib.sha256(b"".join(pieces)).hexdigest() == adapter.sha256
    assert len(pieces) == -(-adapter.size_bytes // 100) > 1


@pytest.mark.parametrize("hidden", [{"deleting": True}, {"expires_at": 1.0}], ids=["being erased", "expired"])
async def test_a_slow_download_ends_when_the_subject_is_hidden(
    world: World, monkeypatch: pytest.MonkeyPatch, hidden: dict[str, object]
) -> None:
    subject = await world.acme.trained_subject()
    name = f"{subject}/trainings/{world.rows(trainings)[0].id}"
    key = (await world.acme.get_training(name)).adapter.key
    await world.store.delete(key)
    # More than the buffers of both ends of a connection take.
    await world.store.put(key, bytes(16 * files.PIECE_BYTES))
    pieces = world.acme.stream("DownloadTrainingFile", trainings_pb2.DownloadTrainingFileRequest(name=name))
    await anext(pieces)
    with write(world.database) as connection:
        connection.execute((subjects if "deleting" in hidden else retentions).update().values(**hidden))

    async def rest() -> None:
        assert len([piece async for piece in pieces]) < 15

    with pytest.raises((NotFoundError, FailedPreconditionError)) as caught:
        await rest()
    assert caught.value.reason == ("SUBJECT_NOT_FOUND" if "deleting" in hidden else "SUBJECT_EXPIRED")
    assert await world.store.exists(key)


async def test_every_file_that_is_there_is_handed_out_and_what_is_not_is_told(world: World) -> None:
    subject = await world.acme.trained_subject()
    (row,) = world.rows(trainings)
    name = f"{subject}/trainings/{row.id}"
    with refused(NotFoundError, "TRAINING_FILE_NOT_FOUND") as caught:
        await download(world, name, trainings_pb2.TRAINING_FILE_SHEET)
    assert "adapter.safetensors" in caught.value.message
    prefix = row.job["adapter"]["key"].rpartition("/")[0]
    job = {**row.job, "scores": {"sheet_key": f"{prefix}/sheet.jpg", "card_key": f"{prefix}/README.md"}}
    job["adapter"] = {**job["adapter"], "kohya_key": f"{prefix}/k", "manifest_key": f"{prefix}/m"}
    with write(world.database) as connection:
        connection.execute(trainings.update().values(job=json.loads(json.dumps(job))))
    for file, key in (("SHEET", "sheet.jpg"), ("CARD", "README.md"), ("KOHYA", "k"), ("MANIFEST", "m")):
        await world.store.put(f"{prefix}/{key}", file.encode())
        kind = trainings_pb2.TrainingFile.Value(f"TRAINING_FILE_{file}")
        assert await download(world, name, kind) == [file.encode()]
    await world.store.delete(f"{prefix}/k")
    with refused(NotFoundError, "OBJECT_NOT_FOUND"):
        await download(world, name, trainings_pb2.TRAINING_FILE_KOHYA)


async def test_a_training_that_has_not_succeeded_has_no_files_and_no_gallery(world: World) -> None:
    subject = await world.acme.trained_subject()
    world.trainer.go.clear()
    name = (await world.acme.create_training(subject)).name
    with refused(FailedPreconditionError, "TRAINING_UNFINISHED") as caught:
        await download(world, name)
    assert caught.value.metadata["name"] == name
    with refused(FailedPreconditionError, "TRAINING_UNFINISHED"):
        await world.acme.gallery(subject, training=name)
    world.trainer.go.set()


async def test_a_gallery_is_painted_with_the_adapter_of_the_training_that_it_names(world: World) -> None:
    subject = await world.acme.trained_subject()
    [first] = [row.id for row in world.rows(trainings)]
    older = await world.acme.get_training(f"{subject}/trainings/{first}")
    await world.acme.upload(subject, selfie(50))
    newer = await world.acme.finished_training((await world.acme.create_training(subject)).name)
    assert older.adapter.sha256 != newer.adapter.sha256
    for training, adapter in ((older.name, older.adapter), (newer.name, newer.adapter), ("", newer.adapter)):
        name = await world.acme.gallery(subject, shots_per_style=1, training=training)
        gallery = (await world.acme("GetGallery", galleries_pb2.GetGalleryRequest(name=name))).gallery
        assert gallery.adapter_sha256 == adapter.sha256


async def test_a_training_is_not_found_under_another_subjects_name(world: World) -> None:
    subject, other = await world.acme.trained_subject(), await world.acme.subject()
    [training] = [row.id for row in world.rows(trainings)]
    with refused(NotFoundError, "TRAINING_NOT_FOUND"):
        await world.acme.gallery(subject, training=f"{other}/trainings/{training}")
