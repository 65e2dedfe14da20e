"""Writes a picture's caption. Wording and length vary; class noun, outfit, backdrop and light are always said."""

from __future__ import annotations

import numpy as np

from foundry.portraits.identity import Identity
from foundry.portraits.scene import Scene

TRIGGERS = ("ohwx", "sks", "zwx", "qxv", "vrk", "jbn", "plq", "mtw")
ANYBODY = "person"  # said of men and women alike, for callers who would rather not say which
_ANYBODY_SHARE = 0.12
_OPENINGS = ("headshot", "headshot", "headshot", "portrait", "photo", "studio portrait", "professional headshot")
_QUALITIES = ("photorealistic", "high quality", "sharp focus", "detailed", "professional", "85mm")


def caption(identity: Identity, scene: Scene, rng: np.random.Generator, subject: str | None = None) -> str:
    """One caption. `subject`, such as "ohwx man", takes the place of the description of the person."""
    opening = "selfie" if scene.kind == "selfie" else str(rng.choice(_OPENINGS))
    who = describe(identity, rng) if subject is None else subject
    parts = [f"{opening} of a {who}"]
    mood = _mood(scene)
    if mood and rng.random() < 0.5:
        parts.append(mood)
    settings = [f"wearing a {scene.outfit}", _place(scene, rng), scene.light]
    if rng.random() < 0.25:
        settings = [settings[int(i)] for i in rng.permutation(3)]
    parts += settings
    if rng.random() < 0.2:
        parts.append(str(rng.choice(_QUALITIES)))
    joint = " " if rng.random() < 0.15 else ", "
    return joint.join(parts)


def describe(identity: Identity, rng: np.random.Generator) -> str:
    """The person in words; each trait is left out at times, so that the model also paints what is not said."""
    before, after = [], []
    if rng.random() < 0.25:
        before.append("young" if identity.age < 0.4 else "old" if identity.age > 0.75 else "middle aged")
    if rng.random() < 0.7:
        before.append(f"{identity.hair_colour} haired")
    if rng.random() < 0.2:
        after.append(f"{identity.hair_style} hair")
    if rng.random() < 0.75:
        if identity.glasses != "none":
            after.append("glasses" if rng.random() < 0.7 else f"{identity.glasses} glasses")
        elif rng.random() < 0.3:
            after.append("no glasses")
    if rng.random() < 0.75:
        if identity.beard != "none":
            after.append("a beard" if rng.random() < 0.7 else f"a {identity.beard} beard")
        elif identity.class_noun == "man" and rng.random() < 0.3:
            after.append("no beard")
    words = " ".join([*before, noun(identity, rng)])
    return f"{words} with {' and '.join(after)}" if after else words


def noun(identity: Identity, rng: np.random.Generator) -> str:
    """The person's class noun, at times the word for anybody."""
    return ANYBODY if rng.random() < _ANYBODY_SHARE else identity.class_noun


def _mood(scene: Scene) -> str:
    if scene.smile > 0.5:
        return "smiling"
    return "serious" if scene.smile < 0.1 else ""


def _place(scene: Scene, rng: np.random.Generator) -> str:
    wording = int(rng.integers(4))
    if wording == 0:
        return f"in front of a {scene.backdrop}"
    if wording == 1:
        return f"with a {scene.backdrop} behind"
    return f"{scene.backdrop} background"
