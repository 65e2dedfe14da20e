"""Makes people whom hair and skin do not tell apart, and people whom only their hair changed.

Of the 48 parameters of an identity, PROPORTIONS are those that shape the face, and LOOKS all others but the number:
hair, skin, beard, glasses, colours. A likeness that sees the face keeps a person and their ``double`` apart.
"""

from __future__ import annotations

from dataclasses import fields, replace

from foundry.portraits.identity import Identity

PROPORTIONS = (
    "face_width",
    "face_height",
    "jaw_width",
    "jaw_squareness",
    "chin_length",
    "cheek_width",
    "ear_size",
    "ear_angle",
    "neck_width",
    "shoulder_width",
    "eye_size",
    "eye_openness",
    "eye_spacing",
    "eye_height",
    "eye_tilt",
    "brow_thickness",
    "brow_height",
    "brow_tilt",
    "brow_arch",
    "nose_length",
    "nose_width",
    "nose_bridge",
    "mouth_width",
    "mouth_height",
    "lip_fullness",
)
LOOKS = tuple(field.name for field in fields(Identity) if field.name not in ("seed", *PROPORTIONS))
HAIRCUT = ("hair_style", "hair_volume", "hair_length", "hair_part", "fringe")


def double(identity: Identity, stranger: Identity) -> Identity:
    """Somebody with the looks of ``identity`` and the proportions of ``stranger``, whose number they take."""
    return replace(stranger, **{name: getattr(identity, name) for name in LOOKS})


def with_haircut_of(identity: Identity, stranger: Identity) -> Identity:
    """The same person (the number stays) after a haircut: style, volume, length, parting and fringe of ``stranger``."""
    if stranger.class_noun != identity.class_noun:
        raise ValueError(f"a {identity.class_noun} does not wear the hair styles of a {stranger.class_noun}")
    return replace(identity, **{name: getattr(stranger, name) for name in HAIRCUT})
