"""Draws people who never existed: identity x scene -> pixels, caption and truth. Imports no torch."""

from foundry.portraits.caption import ANYBODY, TRIGGERS, caption, describe, noun
from foundry.portraits.identity import (
    BEARDS,
    CLASS_NOUNS,
    EYE_COLOURS,
    FIRST_HELD_OUT,
    GLASSES,
    HAIR_COLOURS,
    HAIR_STYLES,
    Identity,
    is_held_out,
    sample_identity,
    sibling,
)
from foundry.portraits.lookalikes import LOOKS, PROPORTIONS, double, with_haircut_of
from foundry.portraits.points import POINTS, face_points
from foundry.portraits.render import LANDMARKS, Portrait, face_truth, render, render_portrait
from foundry.portraits.scene import BACKDROPS, DEFAULT_FRAMING, FRAMINGS, LIGHTS, OUTFITS, Scene, sample_scene
from foundry.portraits.selfies import held_out_seed, sample_selfies

__all__ = [
    "ANYBODY",
    "BACKDROPS",
    "BEARDS",
    "CLASS_NOUNS",
    "DEFAULT_FRAMING",
    "EYE_COLOURS",
    "FIRST_HELD_OUT",
    "FRAMINGS",
    "GLASSES",
    "HAIR_COLOURS",
    "HAIR_STYLES",
    "LANDMARKS",
    "LIGHTS",
    "LOOKS",
    "OUTFITS",
    "POINTS",
    "PROPORTIONS",
    "TRIGGERS",
    "Identity",
    "Portrait",
    "Scene",
    "caption",
    "describe",
    "double",
    "face_points",
    "face_truth",
    "held_out_seed",
    "is_held_out",
    "noun",
    "render",
    "render_portrait",
    "sample_identity",
    "sample_scene",
    "sample_selfies",
    "sibling",
    "with_haircut_of",
]
