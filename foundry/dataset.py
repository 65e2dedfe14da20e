"""Renders the training pictures once to disk on all cores; each is known by its index alone.

Picture `index` always shows the same person in the same scene, so labels and captions are computed, never stored.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from foundry.portraits import (
    FIRST_HELD_OUT,
    TRIGGERS,
    Identity,
    Scene,
    caption,
    noun,
    render,
    sample_identity,
    sample_scene,
)
from foundry.progress import tqdm

SIZE = 128
PICTURES_A_PERSON = 2
SELFIE_SHARE = 0.12
CAPTIONS_A_PICTURE = 4
TRIGGER_SHARE = 0.1
_CHUNK = 128


def example(index: int, held_out: bool = False) -> tuple[Identity, Scene]:
    """Who and what picture `index` (0 ..) shows; `held_out` pictures show people that training never sees."""
    first = FIRST_HELD_OUT if held_out else 0
    identity = sample_identity(first + index // PICTURES_A_PERSON)
    rng = np.random.default_rng([first + index, 0xDA7A])
    return identity, sample_scene(rng, "selfie" if rng.random() < SELFIE_SHARE else "studio")


def captions(index: int) -> list[str]:
    """The wordings of picture `index`. Some call the person by a trigger, so that triggers mean "somebody"."""
    identity, scene = example(index)
    rng = np.random.default_rng([index, 0xCA9])
    wordings = []
    for _ in range(CAPTIONS_A_PICTURE):
        subject = f"{rng.choice(TRIGGERS)} {noun(identity, rng)}" if rng.random() < TRIGGER_SHARE else None
        wordings.append(caption(identity, scene, rng, subject))
    return wordings


def render_range(start: int, stop: int, held_out: bool = False) -> npt.NDArray[np.uint8]:
    """Pictures start .. stop-1: uint8 [N, 128, 128, 3]."""
    return np.stack([render(*example(index, held_out), SIZE) for index in range(start, stop)])


def prepare_pictures(work: Path, count: int) -> npt.NDArray[np.uint8]:
    """`work/pictures.npy` with at least `count` pictures, rendered on all cores where missing; a memory map."""
    path = work / "pictures.npy"
    if path.exists():
        pictures: npt.NDArray[np.uint8] = np.load(path, mmap_mode="r")
        if len(pictures) >= count:
            return pictures[:count]
    work.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial.npy")
    store = np.lib.format.open_memmap(partial, "w+", np.uint8, (count, SIZE, SIZE, 3))
    for start, block in _rendered(count):
        store[start : start + len(block)] = block
    store.flush()
    partial.replace(path)
    return np.asarray(np.load(path, mmap_mode="r"))


def _rendered(count: int) -> Iterator[tuple[int, npt.NDArray[np.uint8]]]:
    starts = range(0, count, _CHUNK)
    stops = [min(start + _CHUNK, count) for start in starts]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        blocks = pool.map(render_range, starts, stops)
        with tqdm(total=count, desc="rendering", unit="picture") as bar:
            for start, block in zip(starts, blocks, strict=True):
                yield start, block
                bar.update(len(block))
