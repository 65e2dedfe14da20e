"""Paints what is measured, and beside it other pictures that teach what painted faces look like.

The latter are of other scenes and seeds, under other guidance.
"""

from __future__ import annotations

import functools

import torch
from diffusers import AutoencoderKL

from benchmarks.training import people
from benchmarks.training.engine import EnginePainter, Guidance
from benchmarks.training.people import Pixels
from benchmarks.training.pictures import keep
from benchmarks.training.plan import Plan
from foundry.latents import to_tensor
from foundry.portraits import CLASS_NOUNS

# Factors of the default guidance's scale (never 1), shares of the adapter in the negative rows, strengths.
OTHER_GUIDANCE = ((0.6, 1.0, 0.8), (1.6, 1.0, 1.0), (0.6, 0.4, 1.0), (1.6, 0.4, 0.8))
_SEED, _BARE_SEED = 500_000, 900_000


def portraits(plan: Plan, person: int, adapter: bytes, guidance: Guidance | None = None) -> list[Pixels]:
    """Every scene with every seed; ``guidance``: the foundation's own by default."""
    return _painter(plan).paint(adapter, orders_of(plan, person), guidance)


def orders_of(plan: Plan, person: int) -> list[tuple[str, int]]:
    """Prompt and seed of each of a person's portraits."""
    return _orders(plan, plan.cast.class_noun(person))


def otherwise_painted(plan: Plan, person: int, adapter: bytes) -> list[Pixels]:
    """``plan.teaching`` pictures of the person to teach with."""
    subject = f"{plan.described.trigger} {plan.cast.class_noun(person)}"
    return _under_other_guidance(
        plan, adapter, people.other_orders(plan.described, subject, _SEED + 1000 * person, plan.teaching)
    )


@functools.cache
def bare_portraits(plan: Plan, noun: str) -> list[Pixels]:
    """The bare foundation's, of every scene with every seed. They are kept, beside ``plan.teaching`` to teach with."""
    pictures = _painter(plan).paint(None, _orders(plan, noun))
    keep(plan, "bare", noun, pictures)
    seed = _BARE_SEED + 1000 * CLASS_NOUNS.index(noun)
    orders = people.other_orders(plan.described, noun, seed, plan.teaching)
    keep(plan, "bare-teaching", noun, _under_other_guidance(plan, None, orders))
    return pictures


@torch.no_grad()
def through_autoencoder(plan: Plan, pictures_NHWC: Pixels) -> Pixels:
    """Pictures as the foundation's autoencoder keeps them, encoded and decoded: what no UNet could paint better."""
    autoencoder = _autoencoder(plan)
    decoded = [
        autoencoder.decode(autoencoder.encode(part).latent_dist.mode()).sample
        for part in torch.split(to_tensor(pictures_NHWC), 16)
    ]
    pixels = ((torch.cat(decoded).clamp(-1, 1) + 1) * 127.5).round().byte()
    return pixels.permute(0, 2, 3, 1).numpy()


@functools.cache
def _autoencoder(plan: Plan) -> AutoencoderKL:
    return AutoencoderKL.from_pretrained(plan.foundation / "vae").eval()


def _under_other_guidance(plan: Plan, adapter: bytes | None, orders: list[tuple[str, int]]) -> list[Pixels]:
    default = _painter(plan).guidance(adapter is not None)
    pictures: list[Pixels] = []
    for turn, (factor, share, strength) in enumerate(OTHER_GUIDANCE):
        some = orders[turn :: len(OTHER_GUIDANCE)]
        pictures += _painter(plan).paint(adapter, some, Guidance(factor * default.scale, share, strength))
    return pictures


def _orders(plan: Plan, noun: str) -> list[tuple[str, int]]:
    return [
        (people.prompt(plan.described, noun, scene), seed) for scene in plan.wanted_scenes for seed in plan.wanted_seeds
    ]


@functools.cache
def _painter(plan: Plan) -> EnginePainter:
    torch.set_num_threads(1)
    return EnginePainter(plan.foundation, plan.out / "engines", threads=1)
