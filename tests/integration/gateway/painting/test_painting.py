"""Shots are painted from styles and seeds, as many at once as the settings allow."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from headshots.v1 import styles_pb2, subjects_pb2
from tests.support.gateway.shots import assert_each_shot_once
from tests.support.gateway.world import World
from tests.support.waiting import until

STYLES = ("studio-navy-suit", "clinic-lab-coat")


async def test_a_gallery_is_painted_from_styles_and_seeds(world: World, subject: str) -> None:
    name = await world.acme.gallery(subject, STYLES, shots_per_style=3, seed=2**32 - 2)
    gallery = await world.acme.finished_gallery(name)
    assert_each_shot_once(world, gallery)
    assert [image.style for image in gallery.images] == [f"styles/{style}" for style in STYLES for _ in range(3)]
    assert [image.seed for image in gallery.images] == [2**32 - 2, 2**32 - 1, 0] * 2
    assert gallery.images[0].prompt == (
        "headshot of a ohwx man, wearing a navy suit, plain grey studio background, soft studio lighting"
    )
    got = (await world.acme("GetSubject", subjects_pb2.GetSubjectRequest(name=subject))).subject
    for request in world.generator.requests:
        assert request.adapter == got.adapter
        assert (request.tenant, request.image_count) == ("acme", 1)
        assert request.output_prefix == f"tenants/acme/{subject}/images"
    assert gallery.adapter_sha256 == got.adapter.sha256
    assert Counter(world.generator.finished.values()) == {1: 6}


async def test_shots_fill_the_generators_batch_but_no_more(world: World, subject: str) -> None:
    world.generator.hold()
    name = await world.acme.gallery(subject, shots_per_style=8)
    await until(lambda: world.generator.running == 4)
    world.generator.permit()
    assert_each_shot_once(world, await world.acme.finished_gallery(name))
    assert world.generator.most_running == 4


async def test_a_style_tells_the_generator_all_that_it_says(world: World, subject: str, tmp_path: Path) -> None:
    styles = tmp_path / "own-styles"
    styles.mkdir()
    (styles / "still.yaml").write_text(
        "name: still\nversion: 3\ndisplay_name: Still\ndescription: A film still.\n"
        "prompt: 'a film still of {subject}, 85mm'\nnegative_prompt: blurry\n"
        "guidance_scale: 0\nguidance_interval: [0, 0.8]\nsteps: 12\nwidth_px: 512\nheight_px: 768\n"
    )
    await world.terminate()
    await world.start(styles=styles)
    gallery = await world.acme.finished_gallery(await world.acme.gallery(subject, ["still"], shots_per_style=1))
    assert gallery.images[0].prompt == "a film still of ohwx man, 85mm"
    (request,) = world.generator.requests
    assert request.prompt == gallery.images[0].prompt
    assert (request.negative_prompt, request.steps, request.width_px, request.height_px) == ("blurry", 12, 512, 768)
    assert request.HasField("guidance_scale")
    assert request.guidance_scale == 0
    assert request.guidance_interval == styles_pb2.GuidanceInterval(low=0, high=0.8)


async def test_a_style_that_says_less_leaves_the_rest_to_the_generator(world: World, subject: str) -> None:
    await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=1))
    (request,) = world.generator.requests
    assert (request.negative_prompt, request.steps, request.width_px, request.height_px) == ("", 0, 0, 0)
    assert not request.HasField("guidance_scale")
    assert not request.HasField("guidance_interval")
