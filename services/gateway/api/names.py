"""Builds and splits resource names, as `subjects/{subject}/photos/{photo}`. The protos check their patterns."""

from __future__ import annotations

import re
from typing import Any


def ids(name: str) -> tuple[str, ...]:
    """The ids in a name: every second segment."""
    return tuple(name.split("/")[1::2])


def new_display_name(request: Any) -> str | None:
    """What an update of a style, pack, profile or look calls it: without words its id, as where none were ever given.

    None: it keeps what it is called.
    """
    return (request.display_name or ids(request.name)[0]) if request.HasField("display_name") else None


def subject_name(subject_id: str) -> str:
    """`subjects/{subject}`."""
    return f"subjects/{subject_id}"


def photo_name(subject_id: str, sha256: str) -> str:
    """`subjects/{subject}/photos/{photo}`."""
    return photo_name_of(subject_id, sha256[:32])


def photo_name_of(subject_id: str, photo_id: str) -> str:
    """`subjects/{subject}/photos/{photo}`, of its id."""
    return f"{subject_name(subject_id)}/photos/{photo_id}"


def training_name(subject_id: str, training_id: str) -> str:
    """`subjects/{subject}/trainings/{training}`."""
    return f"{subject_name(subject_id)}/trainings/{training_id}"


def gallery_name(subject_id: str, gallery_id: str) -> str:
    """`subjects/{subject}/galleries/{gallery}`."""
    return f"{subject_name(subject_id)}/galleries/{gallery_id}"


def image_name(subject_id: str, gallery_id: str, number: int) -> str:
    """`subjects/{subject}/galleries/{gallery}/images/{image}`."""
    return f"{gallery_name(subject_id, gallery_id)}/images/{number}"


def style_name(style: str) -> str:
    """`styles/{style}`."""
    return f"styles/{style}"


def is_style_name(text: str) -> bool:
    """Whether a text is the name of a style, there or not."""
    return re.fullmatch("styles/[a-z0-9-]{1,64}", text) is not None


def foundation_name(digest: str) -> str:
    """`foundations/{foundation}`."""
    return f"foundations/{digest}"


def foundation_of(name: str) -> str:
    """The digest in a foundation's name; empty where there is no name."""
    return name.rpartition("/")[2]


def pack_name(pack: str) -> str:
    """`packs/{pack}`."""
    return f"packs/{pack}"


def shoot_name(subject_id: str, shoot_id: str) -> str:
    """`subjects/{subject}/shoots/{shoot}`."""
    return f"{subject_name(subject_id)}/shoots/{shoot_id}"


def profile_name(profile: str) -> str:
    """`profiles/{profile}`."""
    return f"profiles/{profile}"


def look_name(look: str) -> str:
    """`looks/{look}`."""
    return f"looks/{look}"


def team_name(team_id: str) -> str:
    """`teams/{team}`."""
    return f"teams/{team_id}"


def audit_event_name(number: int) -> str:
    """`auditEvents/{number}`."""
    return f"auditEvents/{number}"


def erasure_name(erasure_id: str) -> str:
    """`erasures/{erasure}`."""
    return f"erasures/{erasure_id}"


def erasure_key_name(key_id: str) -> str:
    """`erasureKeys/{key}`."""
    return f"erasureKeys/{key_id}"
