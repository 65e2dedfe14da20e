"""Asks all three layers of an image file what it is: signature, metadata, watermark. Needs no network, no service."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from headshots.imaging.decode import PhotoLimits, open_photo
from headshots.marking.description import MADE, MADE_OVER
from headshots.marking.manifest import Signature, SignatureState, read_manifest, sniff_media_type
from headshots.marking.watermark.reading import Watermark, read
from headshots.marking.xmp import Metadata, read_packet

LIMITS = PhotoLimits(max_bytes=64 * 2**20, min_side_px=8, max_side_px=4096, max_aspect=16.0)
"""What a file may be whose owner asks."""
_PLACES = ("xmp", "XML:com.adobe.xmp")


@dataclass(frozen=True)
class Verification:
    """What each layer says; None of a layer that is not there.

    Attributes:
        made_by_machine: whether any layer says that a machine made the image. A watermark alone does: it is there after
            a screenshot, when the others are gone.
        ours: whether it was made here or in an installation like this: by the watermark, or by a signature that is
            trusted. Metadata anybody can write.
    """

    signature: Signature
    metadata: Metadata | None
    watermark: Watermark | None

    @property
    def made_by_machine(self) -> bool:
        """See above."""
        says_so = self.metadata is not None and self.metadata.source_type in (MADE, MADE_OVER)
        return says_so or self.ours or self.signature.state is SignatureState.UNTRUSTED

    @property
    def ours(self) -> bool:
        """See above."""
        return self.watermark is not None or self.is_signed

    @property
    def is_signed(self) -> bool:
        """Whether a signature says so that is trusted."""
        return self.signature.state is SignatureState.TRUSTED


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
