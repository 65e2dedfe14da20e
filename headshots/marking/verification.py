"""Defines what the layers of an image file say. Loads no library that reads files: gateways read answers with it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from headshots.errors import InternalError
from headshots.marking.description import MADE, MADE_OVER
from headshots.marking.watermark.reading import Watermark
from headshots.marking.xmp import Metadata

MAX_CHARACTERS = 1024
"""Of a text in an answer."""
ANSWER = "headshots.marking.verifying:answer"
"""What a decoding process is asked to call; see `DecoderPool.call`."""
_MARK_ID = re.compile(r"[0-9a-f]{16}")


class SignatureState(StrEnum):
    """What the manifest of a file is worth."""

    NONE = "absent"
    TRUSTED = "valid"
    UNTRUSTED = "valid, by a signer that is not trusted here"
    BROKEN = "broken"


@dataclass(frozen=True)
class Signature:
    """The manifest of a file: who signed it, what our own assertion in it says, and which checks failed.

    ``mark_id``: the mark, 16 hex digits, empty where the image was signed without one; None: no own assertion.
    """

    state: SignatureState
    signer: str = ""
    mark_id: str | None = None
    failures: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verification:
    """What each layer says; None of a layer that is not there.

    Attributes:
        made_by_machine: whether any layer says that a machine made the image. A watermark alone does: it is there after
            a screenshot, when the others are gone.
        by_headshots: whether an installation like this made it: by the watermark, or by a signature that is trusted.
            Metadata anybody can write. Which one made it, a trusted signature tells, and a gateway that knows the mark.
    """

    signature: Signature
    metadata: Metadata | None
    watermark: Watermark | None

    @property
    def made_by_machine(self) -> bool:
        """See above."""
        says_so = self.metadata is not None and self.metadata.source_type in (MADE, MADE_OVER)
        return says_so or self.by_headshots or self.signature.state is SignatureState.UNTRUSTED

    @property
    def by_headshots(self) -> bool:
        """See above."""
        return self.watermark is not None or self.is_signed

    @property
    def is_signed(self) -> bool:
        """Whether a signature says so that is trusted."""
        return self.signature.state is SignatureState.TRUSTED


def read_answer(document: dict[str, Any]) -> Verification:
    """What `answer` found.

    Raises:
        InternalError: DECODER_FAILED, it is no such answer: the process may be in the hands of whoever made the file.
    """
    try:
        signature, metadata, watermark = (document[name] for name in ("signature", "metadata", "watermark"))
        return Verification(
            Signature(
                SignatureState[signature["state"]],
                _text(signature["signer"]),
                None if signature["mark_id"] is None else _text(signature["mark_id"]),
                tuple(_text(each) for each in signature["failures"]),
            ),
            metadata and Metadata(**{name: _text(value) for name, value in metadata.items()}),
            watermark and Watermark(bytes.fromhex(_mark_id(watermark["mark_id"])), float(watermark["confidence"])),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InternalError("DECODER_FAILED", "a decoding process sent what is no answer") from error


def is_mark_id(text: str) -> bool:
    """Whether a text is what a watermark carries, 16 lower-case hex digits."""
    return _MARK_ID.fullmatch(text) is not None


def _mark_id(value: Any) -> str:
    if not is_mark_id(_text(value)):
        raise ValueError("no mark")
    return str(value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > MAX_CHARACTERS:
        raise ValueError("no text")
    return value
