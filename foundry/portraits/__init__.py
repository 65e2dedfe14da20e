"""People who never existed, drawn: identity x scene -> pixels, caption and truth. Imports no torch."""

from foundry.portraits.caption import TRIGGERS, caption, describe
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
from foundry.portraits.render import LANDMARKS, Portrait, render, render_portrait
from foundry.portraits.scene import BACKDROPS, LIGHTS, OUTFITS, Scene, sample_scene
from foundry.portraits.selfies import held_out_seed, sample_selfies

__all__ = [
    "BACKDROPS",
    "BEARDS",
    "CLASS_NOUNS",
    "EYE_COLOURS",
    "FIRST_HELD_OUT",
    "GLASSES",
    "HAIR_COLOURS",
    "HAIR_STYLES",
    "LANDMARKS",
    "LIGHTS",
    "OUTFITS",
    "TRIGGERS",
    "Identity",
    "Portrait",
    "Scene",
    "caption",
    "describe",
    "held_out_seed",
    "is_held_out",
    "render",
    "render_portrait",
    "sample_identity",
    "sample_scene",
    "sample_selfies",
    "sibling",
]
