"""A face in words: what is small or large about it, the eyes' colour, freckles.

A foundation that hears such words learns directions for each of them, along which an adapter then finds a person; one
that only hears of hair, beards and glasses has to be taught every proportion anew.
"""

from __future__ import annotations

from typing import NamedTuple

from foundry.portraits.identity import Identity


class _Measure(NamedTuple):
    """A number of a person, its usual range, and the words for little and for much of it."""

    field: str
    least: float
    most: float
    little: str
    much: str


_MEASURES = (
    _Measure("skin_tone", 0.0, 1.0, "fair skin", "dark skin"),
    _Measure("skin_warmth", -1.0, 1.0, "cool skin", "warm skin"),
    _Measure("face_width", 0.87, 1.13, "narrow face", "wide face"),
    _Measure("face_height", 0.91, 1.09, "short face", "long face"),
    _Measure("jaw_width", 0.6, 0.9, "narrow jaw", "wide jaw"),
    _Measure("jaw_squareness", 0.0, 0.9, "round jaw", "square jaw"),
    _Measure("chin_length", 0.93, 1.07, "short chin", "long chin"),
    _Measure("cheek_width", 0.94, 1.06, "narrow cheeks", "wide cheeks"),
    _Measure("cheek_colour", 0.1, 1.0, "pale cheeks", "red cheeks"),
    _Measure("ear_size", 0.75, 1.25, "small ears", "big ears"),
    _Measure("neck_width", 0.86, 1.2, "narrow neck", "wide neck"),
    _Measure("eye_size", 0.8, 1.2, "small eyes", "big eyes"),
    _Measure("eye_openness", 0.78, 1.22, "narrow eyes", "open eyes"),
    _Measure("eye_spacing", 0.87, 1.13, "close eyes", "wide eyes"),
    _Measure("eye_height", -1.0, 1.0, "high eyes", "low eyes"),
    _Measure("eye_tilt", -9.0, 9.0, "drooping eyes", "slanted eyes"),
    _Measure("brow_thickness", 0.6, 1.6, "thin brows", "thick brows"),
    _Measure("brow_height", 0.78, 1.22, "low brows", "high brows"),
    _Measure("brow_tilt", -1.0, 1.0, "drooping brows", "slanted brows"),
    _Measure("brow_arch", 0.0, 1.0, "flat brows", "arched brows"),
    _Measure("nose_length", 0.83, 1.17, "short nose", "long nose"),
    _Measure("nose_width", 0.7, 1.3, "narrow nose", "wide nose"),
    _Measure("mouth_width", 0.8, 1.2, "narrow mouth", "wide mouth"),
    _Measure("mouth_height", -1.0, 1.0, "high mouth", "low mouth"),
    _Measure("lip_fullness", 0.6, 1.5, "thin lips", "full lips"),
    _Measure("lip_redness", 0.0, 0.9, "pale lips", "red lips"),
    _Measure("hair_tint", -1.0, 1.0, "dark hair", "light hair"),
    _Measure("hair_volume", 0.0, 1.0, "flat hair", "full hair"),
    _Measure("hairline", 0.0, 1.0, "low hairline", "high hairline"),
)
# Of a measure's range: between these shares nothing is said; beyond the outer ones it is "very" so.
_OUTER, _INNER = (0.2, 0.8), (0.42, 0.58)


def traits(identity: Identity) -> list[str]:
    """Everything that can be said of the face, such as "very long nose"."""
    told = [words for measure in _MEASURES if (words := _words(measure, float(getattr(identity, measure.field))))]
    told.append(f"{identity.eye_colour} eyes")
    marks = {"freckles": identity.freckles, "a mole": identity.mole, "a moustache": identity.moustache}
    return [*told, *(mark for mark, has_it in marks.items() if has_it)]


def trait_words() -> list[str]:
    """Every word that :func:`traits` uses, beside the colours of eyes."""
    return ["very freckles a mole moustache eyes", *(measure.little + " " + measure.much for measure in _MEASURES)]


def _words(measure: _Measure, value: float) -> str:
    share = (value - measure.least) / (measure.most - measure.least)
    if _INNER[0] <= share <= _INNER[1]:
        return ""
    words = measure.little if share < _INNER[0] else measure.much
    return words if _OUTER[0] <= share <= _OUTER[1] else f"very {words}"
