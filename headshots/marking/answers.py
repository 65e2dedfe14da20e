"""Verifies files of strangers in a decoding process, and reads what it answers."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any

from headshots.errors import InternalError
from headshots.imaging.decode import PhotoLimits
from headshots.marking.manifest import Signature, SignatureState
from headshots.marking.verifying import Verification, verify
from headshots.marking.watermark.reading import Watermark
from headshots.marking.xmp import Metadata

_MARK_ID = re.compile(r"[0-9a-f]{16}")
_MAX_CHARACTERS = 1024


def answer(data: bytes, limits: PhotoLimits, trusted: str) -> dict[str, Any]:
    """`verify` as a JSON object with texts of at most 1024 characters, for `DecoderPool.call`. Raises as it."""
    found = verify(data, trusted, limits)
    signature, watermark = found.signature, found.watermark
    return {
        "signature": {
            "state": signature.state.name,
            "signer": _cut(signature.signer),
            "mark_id": None if signature.mark_id is None else _cut(signature.mark_id),
            "failures": [_cut(each) for each in signature.failures[:16]],
        },
        "metadata": found.metadata and {name: _cut(value) for name, value in asdict(found.metadata).items()},
        "watermark": watermark and {"mark_id": watermark.mark_id.hex(), "confidence": watermark.confidence},
    }


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
    if not isinstance(value, str) or len(value) > _MAX_CHARACTERS:
        raise ValueError("no text")
    return value


def _cut(text: str) -> str:
    """Without what no message may carry, as half a surrogate pair."""
    return text[:_MAX_CHARACTERS].encode("utf-8", "replace").decode()
