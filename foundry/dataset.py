"""Renders the training pictures once to disk on all cores; each is known by its index alone.

Picture `index` always shows the same person in the same scene, so labels and captions are computed, never stored.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path

import numpy as np
import numpy.typing as npt

from foundry.portraits import (
    DEFAULT_FRAMING,
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


def example(index: int, held_out: bool = False, framing: str = DEFAULT_FRAMING) -> tuple[Identity, Scene]:
    """Who and what picture `index` (0 ..) shows; `held_out` pictures show people that training never sees."""
    first = FIRST_HELD_OUT if held_out else 0
    identity = sample_identity(first + index // PICTURES_A_PERSON)
    rng = np.random.default_rng([first + index, 0xDA7A])
    return identity, sample_scene(rng, "selfie" if rng.random() < SELFIE_SHARE else "studio", framing)


def captions(index: int) -> list[str]:
    """The wordings of picture `index`. Some call the person by a trigger, so that triggers mean "somebody"."""
    identity, scene = example(index)
    rng = np.random.default_rng([index, 0xCA9])
    return [wording(identity, scene, rng) for _ in range(CAPTIONS_A_PICTURE)]


def wording(identity: Identity, scene: Scene, rng: np.random.Generator) -> str:
    """A caption, at times with a trigger."""
    subject = f"{rng.choice(TRIGGERS)} {noun(identity, rng)}" if rng.random() < TRIGGER_SHARE else None
    return caption(identity, scene, rng, subject)


def render_range(
    start: int, stop: int, held_out: bool = False, framing: str = DEFAULT_FRAMING
) -> npt.NDArray[np.uint8]:
    """Pictures start .. stop-1: uint8 [N, 128, 128, 3]."""
    return np.stack([render(*example(index, held_out, framing), SIZE) for index in range(start, stop)])


def kept(work: Path, what: str, framing: str) -> Path:
    """Where the work folder keeps `what` of one framing."""
    return work / (f"{what}.npy" if framing == DEFAULT_FRAMING else f"{what}_{framing}.npy")


def prepare_pictures(work: Path, count: int, framing: str = DEFAULT_FRAMING) -> npt.NDArray[np.uint8]:
    """At least `count` pictures, kept in `work`, rendered on all cores where missing; a memory map."""
    path = kept(work, "pictures", framing)
    if path.exists():
        pictures: npt.NDArray[np.uint8] = np.load(path, mmap_mode="r")
        if len(pictures) >= count:
            return pictures[:count]
    work.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial.npy")
    store = np.lib.format.open_memmap(partial, "w+", np.uint8, (count, SIZE, SIZE, 3))
    for start, block in _rendered(count, framing):
        store[start : start + len(block)] = block
    store.flush()
    partial.replace(path)
    return np.asarray(np.load(path, mmap_mode="r"))


def rendered(indices: Sequence[int]) -> npt.NDArray[np.uint8]:
    """Some pictures of training, on all cores: uint8 [N, 128, 128, 3]."""
    groups = [indices[start : start + _CHUNK] for start in range(0, len(indices), _CHUNK)]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        blocks = list(tqdm(pool.map(_render, groups), total=len(groups), desc="rendering", unit="block"))
    return np.concatenate(blocks)


def _render(indices: Sequence[int]) -> npt.NDArray[np.uint8]:
    return np.stack([render(*example(index), SIZE) for index in indices])


def _rendered(count: int, framing: str) -> Iterator[tuple[int, npt.NDArray[np.uint8]]]:
    starts = range(0, count, _CHUNK)
    stops = [min(start + _CHUNK, count) for start in starts]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        blocks = pool.map(render_range, starts, stops, repeat(False), repeat(framing))
        with tqdm(total=count, desc="rendering", unit="picture") as bar:
            for start, block in zip(starts, blocks, strict=True):
                yield start, block
                bar.update(len(block))
