"""Samples who a portrait shows: 48 parameters that never change from picture to picture.

Parameters are drawn independently except where life correlates them: beards belong to men, grey hair and lines
come with age, hair styles and fullness of lips differ between the classes. People are numbered; numbers below
`FIRST_HELD_OUT` are for training, the others for measuring, so the two can never share a person.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

FIRST_HELD_OUT = 1_000_000

CLASS_NOUNS = ("man", "woman")
HAIR_COLOURS = ("black", "brown", "blonde", "red", "grey")
EYE_COLOURS = ("brown", "blue", "green", "grey")
BEARDS = ("none", "goatee", "full")
GLASSES = ("none", "round", "square")
HAIR_STYLES = {
    "man": ("buzz", "short", "parted", "quiff", "curly", "long"),
    "woman": ("parted", "bob", "long", "wavy", "bun", "curly"),
}


@dataclass(frozen=True, slots=True)
class Identity:
    """One person. Plain numbers are multipliers around 1 or shares in 0..1 unless a comment says otherwise."""

    seed: int
    class_noun: str
    age: float
    skin_tone: float  # 0 light .. 1 dark
    skin_warmth: float  # -1 .. 1
    face_width: float
    face_height: float
    jaw_width: float
    jaw_squareness: float
    chin_length: float
    cheek_width: float
    ear_size: float
    ear_angle: float
    neck_width: float
    shoulder_width: float
    eye_colour: str
    eye_size: float
    eye_openness: float
    eye_spacing: float
    eye_height: float  # -1 .. 1
    eye_tilt: float  # degrees, outer corner up
    brow_thickness: float
    brow_height: float
    brow_tilt: float  # -1 .. 1
    brow_arch: float
    nose_length: float
    nose_width: float
    nose_bridge: float
    mouth_width: float
    mouth_height: float  # -1 .. 1
    lip_fullness: float
    lip_redness: float
    cheek_colour: float
    hair_colour: str
    hair_tint: float  # -1 .. 1
    hair_style: str
    hair_volume: float
    hair_length: float
    hairline: float  # 0 low .. 1 high
    hair_part: float  # -1 .. 1
    fringe: float
    beard: str
    beard_density: float
    moustache: bool
    glasses: str
    glasses_colour: int
    freckles: float
    mole: tuple[float, float] | None  # in half face widths and heights
    lines: float

    def __post_init__(self) -> None:
        assert self.class_noun in CLASS_NOUNS


def is_held_out(seed: int) -> bool:
    """Whether a person is reserved for measuring."""
    return seed >= FIRST_HELD_OUT


def sample_identity(seed: int) -> Identity:
    """The person with this number (0 ..): always the same one.

    Raises:
        ValueError: the number is negative.
    """
    if seed < 0:
        raise ValueError(f"people are numbered from 0, not {seed}")
    rng = np.random.default_rng([seed, 0x1D])
    noun = CLASS_NOUNS[int(rng.integers(2))]
    age = float(rng.beta(1.4, 1.6))
    tone = float(rng.uniform(0, 1))
    face = _sample_face(rng, noun, age)
    hair = _sample_hair(rng, noun, age, tone)
    return Identity(seed=seed, class_noun=noun, age=age, skin_tone=tone, **face, **hair)  # type: ignore[arg-type]


def sibling(identity: Identity, seed: int, likeness: float = 0.6) -> Identity:
    """A relative: each parameter is kept with probability `likeness`, else taken from person `seed`."""
    other = sample_identity(seed)
    rng = np.random.default_rng([identity.seed, seed, 0x51B])
    if other.class_noun != identity.class_noun:
        kept_for_class = {"hair_style", "hair_length", "beard", "beard_density", "moustache", "lip_redness"}
    else:
        kept_for_class = set()
    changes = {
        field.name: getattr(other, field.name)
        for field in fields(Identity)
        if field.name not in {"seed", "class_noun"} | kept_for_class and rng.random() > likeness
    }
    return replace(identity, seed=seed, **changes)


def _around(rng: np.random.Generator, spread: float) -> float:
    return float(1 + rng.uniform(-spread, spread))


def _sample_face(rng: np.random.Generator, noun: str, age: float) -> dict[str, object]:
    man = noun == "man"
    return {
        "skin_warmth": float(rng.uniform(-1, 1)),
        "face_width": _around(rng, 0.13),
        "face_height": _around(rng, 0.09),
        "jaw_width": float(rng.uniform(0.66, 0.92) if man else rng.uniform(0.58, 0.82)),
        "jaw_squareness": float(rng.uniform(0.3, 1) if man else rng.uniform(0, 0.6)),
        "chin_length": _around(rng, 0.07),
        "cheek_width": _around(rng, 0.06),
        "ear_size": _around(rng, 0.25),
        "ear_angle": float(rng.uniform(0, 1)),
        "neck_width": float(rng.uniform(1.0, 1.25) if man else rng.uniform(0.85, 1.0)),
        "shoulder_width": float(rng.uniform(0.98, 1.14) if man else rng.uniform(0.86, 1.0)),
        "eye_colour": str(rng.choice(EYE_COLOURS, p=[0.46, 0.27, 0.15, 0.12])),
        "eye_size": _around(rng, 0.2),
        "eye_openness": _around(rng, 0.22),
        "eye_spacing": _around(rng, 0.13),
        "eye_height": float(rng.uniform(-1, 1)),
        "eye_tilt": float(rng.uniform(-9, 9)),
        "brow_thickness": float(rng.uniform(0.75, 1.7) if man else rng.uniform(0.55, 1.15)),
        "brow_height": _around(rng, 0.22),
        "brow_tilt": float(rng.uniform(-1, 1)),
        "brow_arch": float(rng.uniform(0, 1)),
        "nose_length": _around(rng, 0.17),
        "nose_width": _around(rng, 0.3),
        "nose_bridge": float(rng.uniform(0, 1)),
        "mouth_width": _around(rng, 0.2),
        "mouth_height": float(rng.uniform(-1, 1)),
        "lip_fullness": float(rng.uniform(0.6, 1.2) if man else rng.uniform(0.85, 1.6)),
        "lip_redness": float(rng.uniform(0, 0.25) if man else rng.uniform(0.1, 1)),
        "cheek_colour": float(rng.uniform(0.1, 1)),
        "glasses": str(rng.choice(GLASSES, p=[0.7, 0.15, 0.15])),
        "glasses_colour": int(rng.integers(3)),
        "freckles": float(rng.uniform(0.5, 1)) if rng.random() < 0.15 else 0.0,
        "mole": (float(rng.uniform(-0.6, 0.6)), float(rng.uniform(0.05, 0.75))) if rng.random() < 0.2 else None,
        "lines": float(np.clip((age - 0.5) * 2 + rng.normal(0, 0.1), 0, 1)),
    }


def _sample_hair(rng: np.random.Generator, noun: str, age: float, tone: float) -> dict[str, object]:
    grey = 0.02 + 0.5 * max(age - 0.5, 0) * 2
    fair = 1 - 0.6 * tone
    weights = np.array([0.22 + 0.25 * tone, 0.28, 0.24 * fair, 0.2 * fair, grey])
    beard = str(rng.choice(BEARDS, p=[0.55, 0.2, 0.25])) if noun == "man" else "none"
    return {
        "hair_colour": str(rng.choice(HAIR_COLOURS, p=weights / weights.sum())),
        "hair_tint": float(rng.uniform(-1, 1)),
        "hair_style": str(rng.choice(HAIR_STYLES[noun])),
        "hair_volume": float(rng.uniform(0, 1)),
        "hair_length": float(rng.uniform(0, 1)),
        "hairline": float(rng.uniform(0, 1)),
        "hair_part": float(rng.uniform(-1, 1)),
        "fringe": float(rng.uniform(0, 1)),
        "beard": beard,
        "beard_density": float(rng.uniform(0.75, 1)),
        "moustache": bool(beard != "none" and rng.random() < 0.8),
    }
