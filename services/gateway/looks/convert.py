"""Converts looks between dataclasses and protobuf."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, cast

from headshots.looks.frame import Frame
from headshots.looks.look import Look, SeedPolicy
from headshots.v1 import images_pb2, looks_pb2
from services.gateway.api import names
from services.gateway.api.convert import optional_timestamp
from services.gateway.looks.models import AskedFrame, ListedLook, LookChange

_POLICIES = {SeedPolicy.SAME: looks_pb2.SEED_POLICY_SAME, SeedPolicy.VARIED: looks_pb2.SEED_POLICY_VARIED}
_DEFAULT_PROFILE, _DEFAULT_TRIES, _DEFAULT_REPAINTS = "profile-worthy", 3, 3


def look(value: ListedLook) -> looks_pb2.Look:
    """A look."""
    told = value.look
    return looks_pb2.Look(
        name=names.look_name(told.name),
        display_name=told.display_name,
        description=told.description,
        version=told.version,
        styles=[names.style_name(style) for style in told.styles],
        portraits=told.portraits,
        frame=looks_pb2.Frame(**told.frame.to_json()),
        profile=names.profile_name(told.profile),
        seed_policy=_POLICIES[told.seed_policy],
        seed=told.seed,
        max_tries=told.max_tries,
        max_repaints=told.max_repaints,
        format=cast(images_pb2.ImageFormat, told.image_format),
        quality=told.quality,
        archived=value.archived,
        create_time=optional_timestamp(value.created_at),
        **value.labelling.fields,
    )


def asked_frame(given: looks_pb2.Frame) -> AskedFrame:
    """The frame that a caller asks for; what is unset is None."""
    # A float of the contract has seven digits: 0.45 comes as 0.449999988.
    told = {name: float(f"{getattr(given, name):.6g}") for name in ("eye_line", "head_height") if given.HasField(name)}
    return AskedFrame(given.width_px, given.height_px, **told)


def new_look(request: looks_pb2.CreateLookRequest, frame: Frame) -> Look:
    """The first version that a caller asks for, in this frame; the contract's defaults replace what is left out."""
    styles = _styles(request.styles)
    return Look(
        name=request.look_id,
        display_name=request.display_name or request.look_id,
        description=request.description,
        styles=styles,
        portraits=request.portraits or len(styles),
        frame=frame,
        profile=_profile(request.profile),
        seed_policy=_policy(request.seed_policy),
        seed=request.seed,
        max_tries=request.max_tries or _DEFAULT_TRIES,
        max_repaints=request.max_repaints if request.HasField("max_repaints") else _DEFAULT_REPAINTS,
        image_format=_format(request.format),
        quality=request.quality,
        styles_differ=True,
    )


def change(request: looks_pb2.UpdateLookRequest, now: Look, frame: Frame | None) -> LookChange:
    """What a caller changes of the look as it is now; what is set to 0 or empty takes the contract's default.

    `frame`: of the new version; None: it stays.
    """
    return LookChange(dict(_changed(request, now, frame)))


def _changed(request: looks_pb2.UpdateLookRequest, now: Look, frame: Frame | None) -> Iterator[tuple[str, Any]]:
    if (display_name := names.new_display_name(request)) is not None:
        yield "display_name", display_name
    if request.HasField("styles"):
        yield "styles", _styles(request.styles.styles)
        yield "styles_differ", True
    if frame is not None:
        yield "frame", frame
    styles = len(request.styles.styles) if request.HasField("styles") else len(now.styles)
    told: dict[str, tuple[str, Any]] = {
        "description": ("description", request.description),
        "portraits": ("portraits", request.portraits or styles),
        "profile": ("profile", _profile(request.profile)),
        "seed_policy": ("seed_policy", _policy(request.seed_policy)),
        "seed": ("seed", request.seed),
        "max_tries": ("max_tries", request.max_tries or _DEFAULT_TRIES),
        "max_repaints": ("max_repaints", request.max_repaints),
        "format": ("image_format", _format(request.format)),
        "quality": ("quality", request.quality),
    }
    for field, (name, value) in told.items():
        if request.HasField(field):
            yield name, value


def _styles(given: Iterable[str]) -> tuple[str, ...]:
    return tuple(names.ids(name)[0] for name in given)


def _profile(given: str) -> str:
    return "".join(names.ids(given)) or _DEFAULT_PROFILE


def _policy(given: looks_pb2.SeedPolicy) -> SeedPolicy:
    return SeedPolicy.VARIED if given == looks_pb2.SEED_POLICY_VARIED else SeedPolicy.SAME


def _format(given: images_pb2.ImageFormat) -> int:
    return int(given) or int(images_pb2.IMAGE_FORMAT_PNG)
