"""Asks all three layers of an image file what it is: signature, metadata, watermark. Needs no network, no service."""

from __future__ import annotations

import io
from dataclasses import asdict
from typing import Any

import numpy as np
from PIL import Image

from headshots.imaging.decode import PhotoLimits, open_photo
from headshots.marking.manifest import read_manifest, sniff_media_type
from headshots.marking.verification import MAX_CHARACTERS, Verification
from headshots.marking.watermark.reading import read
from headshots.marking.xmp import read_packet

LIMITS = PhotoLimits(max_bytes=64 * 2**20, min_side_px=8, max_side_px=4096, max_aspect=16.0)
"""What a file may be whose owner asks."""
_PLACES = ("xmp", "XML:com.adobe.xmp")


def verify(data: bytes, trusted: str = "", limits: PhotoLimits = LIMITS) -> Verification:
    """Ask the layers of a JPEG, PNG or WebP file; ``trusted``: PEM of authorities. Takes up to a second of CPU.

    Raises:
        InvalidPhotoError: PHOTO_*, for a file that is no such picture; see `headshots.imaging.decode.open_photo`.
    """
    pixels = np.asarray(open_photo(data, limits))
    with Image.open(io.BytesIO(data)) as image:
        packet = next((image.info[place] for place in _PLACES if image.info.get(place)), b"")
    if isinstance(packet, str):
        packet = packet.encode()
    return Verification(read_manifest(data, sniff_media_type(data), trusted), read_packet(packet), read(pixels))


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


def _cut(text: str) -> str:
    """Without what no message may carry, as half a surrogate pair."""
    return text[:MAX_CHARACTERS].encode("utf-8", "replace").decode()
