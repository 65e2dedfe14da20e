"""Makes resource names from SDK objects and from what people type."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum
from os import PathLike
from typing import TypeVar

from headshots.errors import InvalidArgumentError

T = TypeVar("T")
_ID = "[a-z0-9-]{1,64}"


class Kind(Enum):
    """The kinds of resources: the form of their names, and the pattern that the contract gives."""

    SUBJECT = ("subjects/ID", f"subjects/{_ID}")
    PHOTO = ("subjects/ID/photos/PHOTO", f"subjects/{_ID}/photos/[0-9a-f]{{32}}")
    TRAINING = ("subjects/ID/trainings/ID", f"subjects/{_ID}/trainings/{_ID}")
    GALLERY = ("subjects/ID/galleries/ID", f"subjects/{_ID}/galleries/{_ID}")
    IMAGE = ("subjects/ID/galleries/ID/images/NUMBER", f"subjects/{_ID}/galleries/{_ID}/images/[0-9]{{1,6}}")
    STYLE = ("styles/ID", f"styles/{_ID}")
    PACK = ("packs/ID", f"packs/{_ID}")
    PROFILE = ("profiles/ID", f"profiles/{_ID}")
    SHOOT = ("subjects/ID/shoots/ID", f"subjects/{_ID}/shoots/{_ID}")
    LOOK = ("looks/ID", f"looks/{_ID}")
    TEAM = ("teams/ID", f"teams/{_ID}")
    ERASURE = ("erasures/ID", f"erasures/{_ID}")
    FOUNDATION = ("foundations/ID", f"foundations/{_ID}")

    def __init__(self, form: str, pattern: str) -> None:
        self.form = form
        self.pattern = re.compile(pattern)


def resource_name(reference: object, kind: Kind) -> str:
    """The resource name of an SDK object, of a name, or of a bare ID of a subject or a style.

    Raises:
        InvalidArgumentError: NAME_INVALID: no resource can have that name.
    """
    given = reference if isinstance(reference, str) else str(getattr(reference, "name"))  # noqa: B009
    top_level = kind.form.removesuffix("/ID")
    name = f"{top_level}/{given}" if "/" not in given and "/" not in top_level else given
    if kind.pattern.fullmatch(name) is None:
        noun = kind.name.lower()
        reads = f"{kind.form} or the ID alone" if "/" not in top_level else kind.form
        raise InvalidArgumentError(
            "NAME_INVALID",
            f"{given!r} names no {noun}: its name reads {reads}, an ID having only a-z, 0-9 and -"
            + ("; a display name is for people alone" if kind is Kind.SUBJECT else ""),
            metadata={"kind": noun},
        )
    return name


def several(items: Iterable[T], what: str) -> list[T]:
    """The items as a list.

    Raises:
        TypeError: it is a single string, bytes or path, which Python would iterate over.
    """
    if isinstance(items, (str, bytes, PathLike)):
        raise TypeError(f"{what} takes a list, not one {type(items).__name__}; write [{_short(items)}]")
    return list(items)


def _short(item: object) -> str:
    text = repr(item)
    return text if len(text) <= 60 else "…"
