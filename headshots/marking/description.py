"""What an image says of itself: which system made it, from what, and what may be done with it."""

from __future__ import annotations

from dataclasses import dataclass

from headshots.marking.rights import Rights

_SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
MADE = _SOURCE_TYPES + "trainedAlgorithmicMedia"
"""IPTC's digital source type of an image that a trained model made."""
MADE_OVER = _SOURCE_TYPES + "compositeWithTrainedAlgorithmicMedia"
"""The same of an image that it made over another one."""


@dataclass(frozen=True)
class Description:
    """What an image says of itself. Prompts only where its tenant wants it: they may say more of a person than it does.

    ``system`` and ``version`` name the software, ``foundation`` the model with ``foundation_digest`` (64 hex digits);
    ``made_over``: whether it was painted over another picture; ``mark_id``: what the image is named by, empty without a
    name; ``is_watermarked``: whether its pixels carry that; ``prompts``: what the model was told, empty where the image
    does not say it.
    """

    system: str
    version: str
    foundation: str
    foundation_digest: str
    made_over: bool
    mark_id: bytes
    rights: Rights
    prompts: str = ""
    is_watermarked: bool = False

    @property
    def source_type(self) -> str:
        """IPTC's digital source type."""
        return MADE_OVER if self.made_over else MADE
