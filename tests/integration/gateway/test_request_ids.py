"""A `request_id` that comes again with something else is refused, and each differing field named."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from headshots import schema
from headshots.database import write
from headshots.errors import AlreadyExistsError, InvalidArgumentError
from headshots.v1 import galleries_pb2, subjects_pb2, trainings_pb2
from services.gateway.settings import default_styles
from tests.support.gateway.caller import refused
from tests.support.gateway.world import World


async def _create(world: World, call: str, **fields: Any) -> str:
    """The name of what the call answers."""
    request = {
        "CreateSubject": subjects_pb2.CreateSubjectRequest,
        "CreateTraining": trainings_pb2.CreateTrainingRequest,
        "CreateGallery": galleries_pb2.CreateGalleryRequest,
    }[call](request_id="once", **fields)
    answer = await world.acme(call, request)
    return str(getattr(answer, call.removeprefix("Create").lower()).name)


@pytest.mark.parametrize(
    ("call", "asked", "changed", "differing"),
    [
        (
            "CreateSubject",
            {"display_name": "Ada"},
            {"display_name": "Bob", "class_noun": "man"},
            "class_noun display_name",
        ),
        ("CreateTraining", {"options": {"steps": 9, "seed": 1}}, {"options": {"steps": 8, "seed": 1}}, "options.steps"),
        ("CreateTraining", {"options": {"steps": 9}}, {}, "options"),
        ("CreateGallery", {"styles": ["styles/studio-navy-suit"]}, {"seed": 5}, "seed"),
        ("CreateGallery", {"styles": ["styles/studio-navy-suit"]}, {"styles": ["styles/stage-red-shirt"]}, "styles"),
    ],
)
async def test_the_same_request_id_with_other_values_is_refused_by_field(
    call: str, asked: dict[str, Any], changed: dict[str, Any], differing: str, world: World
) -> None:
    parent = {} if call == "CreateSubject" else {"parent": await world.acme.trained_subject()}
    first = await _create(world, call, **parent, **asked)
    other = {**parent, **asked, **changed} if changed else parent
    for validated in ({}, {} if call == "CreateSubject" else {"validate_only": True}):
        with refused(AlreadyExistsError, "REQUEST_ID_REUSED") as caught:
            await _create(world, call, **other, **validated)
        assert [violation.field for violation in caught.value.violations] == differing.split()
    assert await _create(world, call, **parent, **asked) == first


async def test_a_repeated_call_is_answered_by_another_gateway_and_after_its_style_is_gone(
    world: World, tmp_path: Path
) -> None:
    subject = await world.acme.trained_subject()
    first = await world.acme.gallery(subject, ["studio-navy-suit"], request_id="once")
    await world.kill()
    (tmp_path / "styles").mkdir()
    shutil.copy(default_styles() / "stage-red-shirt.yaml", tmp_path / "styles")
    await world.start(styles=tmp_path / "styles")
    with refused(InvalidArgumentError, "STYLE_UNKNOWN"):
        await world.acme.gallery(subject, ["studio-navy-suit"], request_id="another")
    assert await world.acme.gallery(subject, ["studio-navy-suit"], request_id="once") == first


async def test_rows_of_before_parameters_were_kept_are_answered(world: World) -> None:
    first = await world.acme.subject(request_id="once", display_name="Ada")
    with write(world.database) as connection:
        connection.execute(sa.update(schema.subjects).values(request_parameters=None))
    assert await world.acme.subject(request_id="once", display_name="Bob") == first
