"""Says by which word an inspection calls what an upload is refused for."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_OF_ITS_OWN = {"PHOTO_DUPLICATE": "DUPLICATE", "PHOTO_TOO_SMALL": "TOO_SMALL"}
_NO_PICTURE = (
    "PHOTO_ANIMATED",
    "PHOTO_TOO_COSTLY",
    "PHOTO_TOO_LARGE",
    "PHOTO_TOO_MANY_PIXELS",
    "PHOTO_TOO_NARROW",
    "PHOTO_TRUNCATED",
    "PHOTO_UNDECODABLE",
    "PHOTO_UNSUPPORTED_FORMAT",
)
FINDING_OF_REFUSAL: Mapping[str, str] = MappingProxyType({**_OF_ITS_OWN, **dict.fromkeys(_NO_PICTURE, "UNDECODABLE")})
"""`PhotoFinding.reason` of each reason with which an upload refuses a photo. Of UNDECODABLE `cause` is that reason."""
