"""A gallery that could not be painted as it was meant is refused before anything is queued."""

from __future__ import annotations

from pathlib import Path

import pytest

from headshots import schema
from headshots.errors import FailedPreconditionError, InternalError, InvalidArgumentError
from headshots.v1 import galleries_pb2, jobs_pb2
from headshots.v1.generator_pb2_grpc import GeneratorServiceServicer
from tests.support.gateway.caller import refused
from tests.support.gateway.fake_generator import FakeGenerator
from tests.support.gateway.world import World

KNOWN = {"a", "background", "grey", "headshot", "lighting", "man", "navy", "of", "plain", "soft", "studio", "suit"}
KNOWN |= {"wearing"}
BOTH = pytest.mark.parametrize("validate_only", [True, False])


@BOTH
async def test_words_that_the_foundation_does_not_know_are_refused(
    world: World, subject: str, validate_only: bool
) -> None:
    world.generator.vocabulary = KNOWN
    await world.kill()
    await world.start()
    with refused(InvalidArgumentError, "STYLE_WORDS_UNKNOWN") as caught:
        await world.acme.gallery(subject, ["studio-navy-suit", "clinic-lab-coat"], validate_only=validate_only)
    assert [violation.field for violation in caught.value.violations] == ["styles[1]"]
    assert "does not know lab, coat, white, cool, window" in caught.value.message
    assert "styles/clinic-lab-coat" in caught.value.message
    assert world.rows(schema.galleries) == world.rows(schema.shots) == []
    await world.acme.gallery(subject, ["studio-navy-suit"], validate_only=validate_only)


@BOTH
async def test_a_prompt_that_is_too_long_is_refused_with_what_would_be_lost(
    world: World, subject: str, validate_only: bool
) -> None:
    world.generator.window_tokens = 14
    with refused(InvalidArgumentError, "PROMPT_TOO_LONG") as caught:
        await world.acme.gallery(subject, validate_only=validate_only)
    assert "these words would be lost: background, soft studio lighting" in caught.value.message
    assert [violation.field for violation in caught.value.violations] == ["styles[0]"]
    assert world.rows(schema.galleries) == []


@BOTH
async def test_a_class_noun_that_the_foundation_does_not_know_is_refused(world: World, validate_only: bool) -> None:
    wizard = await world.acme.trained_subject(class_noun="wizard")
    world.generator.vocabulary = {*KNOWN, "wizard"}
    await world.kill()
    await world.start()
    with refused(FailedPreconditionError, "CLASS_NOUN_UNKNOWN") as caught:
        await world.acme.gallery(wizard, validate_only=validate_only)
    assert "'wizard'; make the subject with one of person, man, woman" in caught.value.message
    with refused(FailedPreconditionError, "CLASS_NOUN_UNKNOWN"):
        await world.acme.create_training(wizard, validate_only=validate_only)
    assert world.rows(schema.galleries) == []
    assert len(world.rows(schema.trainings)) == 1


@BOTH
async def test_a_remix_that_repaints_less_than_a_step_is_refused(
    world: World, subject: str, validate_only: bool
) -> None:
    first = await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=1))
    remix = galleries_pb2.Remix(image=first.images[0].name, repaint=0.04)
    with refused(InvalidArgumentError, "REPAINT_TOO_LITTLE") as caught:
        await world.acme.gallery(subject, remix=remix, validate_only=validate_only)
    assert [violation.field for violation in caught.value.violations] == ["remix.repaint"]
    assert len(world.rows(schema.galleries)) == 1


@BOTH
async def test_a_size_that_the_foundation_cannot_paint_is_refused(
    world: World, subject: str, tmp_path: Path, validate_only: bool
) -> None:
    styles = tmp_path / "own-styles"
    styles.mkdir()
    (styles / "odd.yaml").write_text(
        "name: odd\nversion: 1\ndisplay_name: Odd\ndescription: Odd.\nprompt: '{subject}'\nwidth_px: 72\n"
    )
    await world.terminate()
    await world.start(styles=styles)
    with refused(InvalidArgumentError, "SIZE_INVALID") as caught:
        await world.acme.gallery(subject, ["odd"], validate_only=validate_only)
    assert [violation.field for violation in caught.value.violations] == ["styles[0]"]
    assert world.rows(schema.galleries) == []


async def test_where_no_generator_answers_a_gallery_is_queued_as_before(world: World, subject: str) -> None:
    world.generator.check_failure = InternalError("BROKEN", "broken")
    world.generator.window_tokens = 4
    name = await world.acme.gallery(subject, shots_per_style=1)
    assert (await world.acme.finished_gallery(name)).state == jobs_pb2.JOB_STATE_SUCCEEDED
    await world.stop_peer(world.generator_port)
    await world.kill()
    await world.start()
    await world.acme.gallery(subject, shots_per_style=1)


async def test_a_repeated_request_is_answered_whatever_the_foundation_reads_now(world: World, subject: str) -> None:
    name = await world.acme.gallery(subject, shots_per_style=1, request_id="once")
    world.generator.window_tokens = 4
    assert await world.acme.gallery(subject, shots_per_style=1, request_id="once") == name


async def test_a_generator_of_a_version_without_checks_holds_no_gallery_up(
    world: World, subject: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = GeneratorServiceServicer.CheckGeneration
    monkeypatch.setattr(FakeGenerator, "CheckGeneration", unknown)
    await world.stop_peer(world.generator_port)
    await world.start_peer(world.generator, world.generator_port)
    name = await world.acme.gallery(subject, shots_per_style=1)
    assert (await world.acme.finished_gallery(name)).state == jobs_pb2.JOB_STATE_SUCCEEDED
