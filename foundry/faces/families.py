"""Draws families: a person, people who could be taken for them, and what a net learns from that only the face tells.

Kept pictures are known by their index alone, as those of `foundry.dataset`. A family of training has MEMBERS pictures:
two of the person, two of a double, two of a sibling, and one of the person after a haircut.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from foundry.portraits import (
    FIRST_HELD_OUT,
    Identity,
    Scene,
    double,
    render_portrait,
    sample_identity,
    sample_scene,
    sibling,
    with_haircut_of,
)
from foundry.progress import tqdm

SIZE = 128
# Whose each of a family's pictures is: 0 the person, 1 their double, 2 their sibling.
MEMBERS = (0, 0, 1, 1, 2, 2, 0)
FIRST_PERSON = 200_000  # apart from the people of other stages
SELFIE_SHARE = 0.4
CLOSE_SHARE = 0.35  # of the pictures: nearer than that world's own, up to a face of three quarters of the height
_CHUNK = 16

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Family:
    """A person, and whom they could be taken for."""

    person: Identity
    doubles: tuple[Identity, ...]
    sibling: Identity
    after_haircut: Identity


def family(seed: int, first_stranger: int, doubles: int) -> Family:
    """The family of person `seed`; strangers are the next people of the same class noun from `first_stranger`."""
    person = sample_identity(seed)
    strangers: list[Identity] = []
    number = first_stranger
    while len(strangers) < doubles + 2:
        if (stranger := sample_identity(number)).class_noun == person.class_noun:
            strangers.append(stranger)
        number += 1
    *others, relative, barber = strangers
    return Family(
        person=person,
        doubles=tuple(double(person, other) for other in others),
        sibling=sibling(person, relative.seed),
        after_haircut=with_haircut_of(person, barber),
    )


def members(number: int, first_person: int = FIRST_PERSON) -> tuple[Identity, ...]:
    """Who the MEMBERS pictures of training family `number` (0 ..) show."""
    known = family(first_person + 8 * number, first_person + 8 * number + 1, doubles=1)
    (other,) = known.doubles
    return known.person, known.person, other, other, known.sibling, known.sibling, known.after_haircut


def whose(families_F: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """A number a person for each picture of these families, flat: [F * M]."""
    people = families_F[:, None] * (max(MEMBERS) + 1) + np.array(MEMBERS)
    return np.asarray(people.reshape(-1), np.int64)


def scene_of(number: int, place: int) -> Scene:
    """The scene of a family's picture."""
    rng = np.random.default_rng([FIRST_PERSON + number, place, 0xFA317])
    kind = "selfie" if rng.random() < SELFIE_SHARE else "studio"
    if rng.random() >= CLOSE_SHARE:
        return sample_scene(rng, kind)
    zoom = float(rng.uniform(1.1, 1.55))
    return sample_scene(rng, kind, zoom=zoom, dy=float(rng.uniform(-2, 3 + 12 * (zoom - 1))))


@dataclass(frozen=True, slots=True)
class Series:
    """Families that one net learns from, apart from those of another."""

    name: str  # in the names of its files
    first_person: int
    scene_of: Callable[[int, int], Scene]  # by family and place


ANALYZER = Series("families", FIRST_PERSON, scene_of)


@dataclass(frozen=True, slots=True)
class Families:
    """F families of training: pictures and true landmarks by family and member, memory maps."""

    pictures: Pixels  # [F, M, 128, 128, 3]
    landmarks: Floats  # [F, M, 5, 2]


def prepare_families(work: Path, count: int, processes: int | None = None, series: Series = ANALYZER) -> Families:
    """`work/{series}_{count}_*.npy`, rendered where missing."""
    paths = [work / f"{series.name}_{count}_{name}.npy" for name in ("landmarks", "pictures")]
    if not paths[1].exists():
        assert series.first_person + 8 * count < FIRST_HELD_OUT - 200
        work.mkdir(parents=True, exist_ok=True)
        _render_all(series, count, paths[0], paths[1], processes or os.cpu_count() or 1)
    landmarks, pictures = (np.load(path, mmap_mode="r") for path in paths)
    return Families(pictures, landmarks)


def _render_all(series: Series, count: int, landmarks_path: Path, pictures_path: Path, processes: int) -> None:
    partial = pictures_path.with_suffix(".partial.npy")
    pictures = np.lib.format.open_memmap(partial, "w+", np.uint8, (count, len(MEMBERS), SIZE, SIZE, 3))
    landmarks = np.zeros((count, len(MEMBERS), 5, 2), np.float32)
    starts = range(0, count, _CHUNK)
    render = functools.partial(_render, series, count=count)
    with ProcessPoolExecutor(processes) as pool, tqdm(total=count, desc="families", mininterval=5) as bar:
        for start, (drawn, places) in zip(starts, pool.map(render, starts), strict=True):
            pictures[start : start + len(drawn)], landmarks[start : start + len(drawn)] = drawn, places
            bar.update(len(drawn))
    pictures.flush()
    np.save(landmarks_path, landmarks)
    partial.replace(pictures_path)


def _render(series: Series, start: int, count: int) -> tuple[Pixels, Floats]:
    """Families start .. start + _CHUNK - 1."""
    drawn = [
        [
            render_portrait(one, series.scene_of(number, place), SIZE)
            for place, one in enumerate(members(number, series.first_person))
        ]
        for number in range(start, min(start + _CHUNK, count))
    ]
    pictures = np.stack([np.stack([portrait.pixels for portrait in row]) for row in drawn])
    landmarks = np.stack([np.stack([portrait.landmarks for portrait in row]) for row in drawn])
    return pictures, landmarks.astype(np.float32)
