"""The gateway's checks against a real generator: both speak of the same fields and reasons."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from headshots import schema
from headshots.errors import FailedPreconditionError, HeadshotsError
from headshots.v1 import foundations_pb2, galleries_pb2
from tests.support.foundations.engines import tiny_package
from tests.support.gateway.caller import refused
from tests.support.gateway.peer import FOUNDATION_DIGEST
from tests.support.gateway.world import World
from tests.support.generator.world import running_generator

HEAD = "version: 1\ndisplay_name: Odd\ndescription: Odd.\n"
# Of the tiny foundation. Its package tells, but would be exported while tests are collected, in every process.
WINDOW_TOKENS = 128
STYLES = {
    "long": f"prompt: '{{subject}}{' suit' * WINDOW_TOKENS} wearing'\n",
    "wide": "prompt: 'photo of {subject}'\nwidth_px: 4096\n",
    "unknown": "prompt: 'photo of {subject} wearing turquoise'\n",
    "good": "prompt: 'photo of {subject} wearing suit'\nsteps: 6\n",
}
REFUSALS = {
    "long": ("PROMPT_TOO_LONG", "styles[0]", "would be lost: suit suit"),
    "wide": ("SIZE_INVALID", "styles[0]", "4096"),
    "unknown": ("STYLE_WORDS_UNKNOWN", "styles[0]", "turquoise"),
}


async def test_a_real_generators_refusals_reach_the_caller(world: World, subject: str, tmp_path: Path) -> None:
    first = await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=1))
    folder = tmp_path / "own-styles"
    folder.mkdir()
    for name, recipe in STYLES.items():
        (folder / f"{name}.yaml").write_text(f"name: {name}\n{HEAD}{recipe}")
    words = ("a", "man", "of", "photo", "suit", "wearing")
    await world.terminate()
    package = dataclasses.replace(tiny_package(), vocabulary=words, foundation_digest=FOUNDATION_DIGEST)
    async with running_generator(world.folder, package=package) as generator:
        await world.start(styles=folder, generator_address=generator.address)
        for name, (reason, field, told) in REFUSALS.items():
            with pytest.raises(HeadshotsError) as caught:
                await world.acme.gallery(subject, [name], validate_only=True)
            assert (caught.value.reason, [each.field for each in caught.value.violations]) == (reason, [field])
            assert told in caught.value.message
        remix = galleries_pb2.Remix(image=first.images[0].name, repaint=0.16)
        with pytest.raises(HeadshotsError) as caught:
            await world.acme.gallery(subject, ["good"], remix=remix, validate_only=True)
        assert [each.field for each in caught.value.violations] == ["remix.repaint"]
        assert caught.value.reason == "REPAINT_TOO_LITTLE"
        await world.acme.gallery(subject, ["good"], validate_only=True)
        (found,) = (await world.acme("ListFoundations", foundations_pb2.ListFoundationsRequest())).foundations
        assert (tuple(found.vocabulary), found.window_tokens) == (words, package.window_tokens)
        await world.kill()
    assert len(world.rows(schema.galleries)) == 1


async def test_an_adapter_of_another_foundation_that_is_named_paints_nothing(
    world: World, subject: str, tmp_path: Path
) -> None:
    """The subject's adapter is of the foundation that the generator ran before."""
    (training,) = world.rows(schema.trainings)
    folder = tmp_path / "own-styles"
    folder.mkdir()
    (folder / "good.yaml").write_text(f"name: good\n{HEAD}{STYLES['good']}")
    await world.terminate()
    async with running_generator(world.folder) as generator:
        await world.start(styles=folder, generator_address=generator.address)
        named = f"{subject}/trainings/{training.id}"
        with refused(FailedPreconditionError, "FOUNDATION_NOT_SERVED"):
            await world.acme.gallery(subject, ["good"], training=named)
        await world.kill()
    assert not world.rows(schema.galleries)
