"""Source images, and noise that the caller sends, against stock diffusers: PSNR of at least 40 dB."""

from __future__ import annotations

import asyncio
import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import (
    StableDiffusionImg2ImgPipeline,
    StableDiffusionInpaintPipeline,
    StableDiffusionXLImg2ImgPipeline,
)
from diffusers.image_processor import VaeImageProcessor
from PIL import Image

from headshots.diffusion.checking.stock_sampling import Draw, InjectedNoise, noise_of, scheduler_for
from headshots.diffusion.sampling.schedule import initial_noise
from headshots.v1 import generator_pb2 as pb
from tests.support.foundations.engines import lora_bytes, peft_unet, tiny_foundation, tiny_sdxl, tiny_sdxl_package
from tests.support.foundations.stock import psnr
from tests.support.generator.sources import SIZE, Pixels, file_of, half_mask, noise, picture, source
from tests.support.generator.whole_images import SAMPLERS
from tests.support.generator.world import Generator, running_generator

# diffusers hands torch tensors to numpy in a way that numpy 2 deprecates; not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

PROMPT = "photo of sks man in navy suit"


def pixels_of(image: pb.GeneratedImage) -> Pixels:
    with Image.open(io.BytesIO(image.content)) as opened:
        return np.asarray(opened)


def stock(
    cls: Any, lora: bytes | None, sampler: str, folder: Path, foundation: Path | None = None
) -> tuple[Any, torch.Tensor]:
    """A stock pipeline, and the source's latents: the middle of the VAE's distribution instead of a draw from it."""
    pipeline = cls.from_pretrained(foundation or tiny_foundation(), dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.scheduler = scheduler_for(sampler, pipeline.scheduler.config)
    if lora is not None:
        (folder / "lora.safetensors").write_bytes(lora)
        pipeline.load_lora_weights(folder, weight_name="lora.safetensors")
    signed = VaeImageProcessor().preprocess(Image.fromarray(picture()))
    with torch.no_grad():
        latents = pipeline.vae.encode(signed).latent_dist.mode() * pipeline.vae.config.scaling_factor
    return pipeline, latents


def drawn_after(start: bytes) -> Draw:
    """What a pipeline draws: what it starts from, and then what its steps take, which is image 0's."""
    first = torch.from_numpy(np.frombuffer(start, "<f4").copy())
    return lambda n, shape: first.reshape(shape) if n == 0 else noise_of(0)(n - 1, shape)


@pytest.mark.parametrize(
    ("sampler", "steps", "repaint", "guidance"),
    [
        ("ddim", 10, 0.35, 3.0),
        ("euler", 6, 0.5, 1.0),
        ("dpmpp_2m", 9, 0.75, 4.0),
        ("dpmpp_2m", 5, 1.0, 2.0),
        ("euler_ancestral", 6, 0.6, 2.0),
        ("lcm", 4, 0.75, 1.0),
    ],
)
async def test_a_picture_is_repainted_as_stock_image_to_image_does(
    generator: Generator, tmp_path: Path, sampler: str, steps: int, repaint: float, guidance: float
) -> None:
    lora = lora_bytes(peft_unet(4, 8.0, seed=5))
    pipeline, latents = stock(StableDiffusionImg2ImgPipeline, lora, sampler, tmp_path)
    with InjectedNoise(drawn_after(noise(3))):
        made = pipeline(
            prompt=PROMPT,
            negative_prompt="grey",
            image=latents,
            strength=repaint,
            num_inference_steps=steps,
            guidance_scale=guidance,
            output_type="np",
        ).images[0]
    expected = (made * 255).round().astype(np.uint8)
    request = {"prompt": PROMPT, "negative_prompt": "grey", "steps": steps, "guidance_scale": guidance}
    request |= {"sampler": SAMPLERS[sampler], "adapter": await generator.add(lora)}
    painted_over = source(picture(), repaint=repaint)
    events = await generator.generate(**request, source=painted_over, noise=noise(3))
    found = pixels_of(events[-1].image)
    assert found.std() > 5, "there is something to see"
    assert psnr(found, expected) >= 40
    assert [e.step.total_steps for e in events if e.HasField("step")] == [int(steps * repaint)] * int(steps * repaint)
    from_noise = pixels_of(await generator.image(**request, noise=noise(3)))
    assert repaint == 1 or psnr(from_noise, expected) < 35, "the picture shows"


async def test_sdxl_repaints_a_picture_as_stock_image_to_image_does(tmp_path: Path) -> None:
    """Its own scaling of latents, and the added conditions at a picture's size."""
    pipeline, latents = stock(StableDiffusionXLImg2ImgPipeline, None, "euler", tmp_path, tiny_sdxl())
    call = {"prompt": "photo of sks woman", "guidance_scale": 3.0}
    made = pipeline(
        **call,
        image=latents,
        strength=0.6,
        num_inference_steps=8,
        generator=torch.Generator().manual_seed(3),
        output_type="np",
    ).images[0]
    async with running_generator(tmp_path, package=tiny_sdxl_package()) as generator:
        request = {**call, "steps": 8, "sampler": pb.SAMPLER_EULER, "noise": noise(3)}
        found = pixels_of(await generator.image(**request, source=source(picture(), repaint=0.6)))
        from_noise = pixels_of(await generator.image(**request))
    expected = (made * 255).round().astype(np.uint8)
    assert psnr(found, expected) >= 40
    assert psnr(from_noise, expected) < 35, "the picture shows"


@pytest.mark.parametrize(
    ("sampler", "steps", "repaint", "guidance"),
    [
        ("ddim", 8, 1.0, 3.0),
        ("euler", 10, 0.6, 2.0),
        ("dpmpp_2m", 7, 0.8, 1.0),
        ("dpmpp_2m", 16, 1.0, 4.0),
        ("tcd", 4, 1.0, 2.0),
        ("dpmpp_2m_sde", 6, 0.7, 2.0),
    ],
)
async def test_a_masked_region_is_repainted_as_stock_inpainting_does(
    generator: Generator, tmp_path: Path, sampler: str, steps: int, repaint: float, guidance: float
) -> None:
    """On the unmodified UNet. Stock pipelines leave the kept pixels as the VAE gives them back; theirs to overlay."""
    lora = lora_bytes(peft_unet(4, 8.0, seed=5))
    pipeline, latents = stock(StableDiffusionInpaintPipeline, lora, sampler, tmp_path)
    mask = Image.fromarray(half_mask())
    with InjectedNoise(drawn_after(noise(4))):
        made = pipeline(
            prompt=PROMPT,
            image=latents,
            mask_image=mask,
            masked_image_latents=latents,
            height=SIZE,
            width=SIZE,
            strength=repaint,
            num_inference_steps=steps,
            guidance_scale=guidance,
            eta=0.3 if sampler == "tcd" else 0.0,
            output_type="pil",
        ).images[0]
    cut = mask.point(lambda value: 255 * (value >= 128))
    expected = np.asarray(pipeline.image_processor.apply_overlay(cut, Image.fromarray(picture()), made))
    painted_over = source(picture(), half_mask(), repaint=repaint)
    image = await generator.image(
        prompt=PROMPT, steps=steps, guidance_scale=guidance, sampler=SAMPLERS[sampler], noise=noise(4),
        adapter=await generator.add(lora), source=painted_over,
    )  # fmt: skip
    found, painted = pixels_of(image), half_mask() >= 128
    assert psnr(found[painted], np.asarray(made)[painted]) >= 40
    assert psnr(found, expected) >= 40
    assert np.array_equal(found[~painted], picture()[~painted]), "kept pixels are the source's own"


async def test_a_soft_masks_greys_mix_what_is_painted_and_the_picture(generator: Generator) -> None:
    """The same noise under the mask cut at half paints the same cells; of a grey pixel it gives its share."""
    soft = half_mask()
    soft[:, SIZE // 2 : SIZE // 2 + 4] = 153
    soft[40:, :13] = 0
    flat = np.full_like(picture(), 90)
    request = {"noise": noise(4), "steps": 4}
    cut = pixels_of(await generator.image(**request, source=source(flat, soft)))
    mixed = pixels_of(await generator.image(**request, source=source(flat, soft, soft_mask=True)))
    grey, kept = soft == 153, soft == 0
    assert np.array_equal(mixed[kept], flat[kept]), "kept pixels are the source's own"
    assert np.array_equal(mixed[soft == 255], cut[soft == 255])
    expected = 0.6 * cut[grey].astype(float) + 0.4 * 90
    assert np.abs(expected - 90).max() > 5, "there is something to mix"
    assert np.abs(mixed[grey] - expected).max() <= 1


async def test_noise_of_the_caller_is_what_an_image_starts_from(generator: Generator) -> None:
    """Noise drawn by the documented rule is the seed's image; every image of a request takes its own part."""
    drawn = np.stack([initial_noise(seed, (4, 8, 8)) for seed in (7, 8)]).astype("<f4").tobytes()
    given = await generator.generate(noise=drawn, image_count=2)
    found = {event.image.index: event.image for event in given if event.HasField("image")}
    seeded = await generator.generate(seed=7, image_count=2)
    expected = {event.image.index: event.image for event in seeded if event.HasField("image")}
    assert [found[i].sha256 for i in (0, 1)] == [expected[i].sha256 for i in (0, 1)]
    assert [found[i].seed for i in (0, 1)] == [0, 0]
    assert [expected[i].seed for i in (0, 1)] == [7, 8]


async def test_pictures_by_reference_in_any_format_are_those_by_value(generator: Generator) -> None:
    webp = file_of(picture(), "WEBP")
    key, sha256 = "photos/source.webp", hashlib.sha256(webp).hexdigest()
    await generator.store.put(key, webp)
    stored = pb.Source(picture=pb.Picture(stored=pb.StoredPicture(key=key, sha256=sha256)), repaint=0.5)
    sent = pb.Source(picture=pb.Picture(content=webp), repaint=0.5)
    assert (await generator.image(source=stored)).sha256 == (await generator.image(source=sent)).sha256


async def test_a_picture_of_another_size_is_scaled_to_cover_and_cut(generator: Generator) -> None:
    """The kept half of a wide picture is the middle of it."""
    wide = np.repeat(np.repeat(picture(), 2, axis=0), 2, axis=1)
    wide = np.concatenate([np.zeros((128, 40, 3), np.uint8), wide, np.zeros((128, 40, 3), np.uint8)], axis=1)
    mask = np.zeros((128, 208), np.uint8)
    mask[:, 104:] = 255
    found = pixels_of(await generator.image(source=source(wide, mask)))
    assert found.shape == (SIZE, SIZE, 3)
    assert psnr(found[:, :28], picture()[:, :28]) > 20


async def test_defaults_of_the_share_that_is_repainted(generator: Generator) -> None:
    """0.8 of a picture's steps, all of a mask's."""
    for made, steps in ((source(picture()), 8), (source(picture(), half_mask()), 10)):
        events = await generator.generate(steps=10, source=made)
        assert sum(event.HasField("step") for event in events) == steps


async def test_pictures_and_noise_of_others_change_nothing(generator: Generator) -> None:
    """Requests with and without sources, at start steps of their own, share the batch and stay themselves."""
    adapted = await generator.add(lora_bytes(peft_unet(4, 8.0, seed=1)))
    requests: list[dict[str, Any]] = [
        {"seed": 1, "steps": 7},
        {"seed": 2, "steps": 7, "source": source(picture(), repaint=0.3), "adapter": adapted},
        {"seed": 3, "steps": 5, "source": source(picture(), half_mask()), "sampler": pb.SAMPLER_DPMPP_2M},
        {"steps": 6, "noise": noise(9), "source": source(picture()[::-1].copy(), repaint=0.9)},
        {"seed": 2, "steps": 7, "source": source(picture()[:, ::-1].copy(), half_mask(), repaint=0.5)},
        {"seed": 5, "steps": 4, "source": source(picture(), half_mask(), soft_mask=True)},
    ]
    together = await asyncio.gather(*(generator.image(**request) for request in requests))
    alone = [await generator.image(**request) for request in requests]
    assert [image.sha256 for image in together] == [image.sha256 for image in alone]
    assert len({image.sha256 for image in alone}) == len(requests)
