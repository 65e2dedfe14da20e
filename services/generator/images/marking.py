"""Marks images as made by a machine: watermark, then metadata, then a signature over both."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

import headshots
from headshots.marking.description import Description
from headshots.marking.manifest import Signer
from headshots.marking.rights import TenantRights
from headshots.marking.settings import MarkingSettings
from headshots.marking.watermark.embedding import embed, has_room
from headshots.marking.watermark.payload import ID_BYTES
from headshots.marking.xmp import write_packet
from services.generator.images.encoding import CONTENT_TYPES, encode

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class MarkedFile:
    """``unsigned``: with watermark and metadata, the same bytes every time; ``signed``: the same with the signature.

    ``mark_id``: what the signature names the image by and the watermark carries; empty where the operator wants none.
    """

    unsigned: bytes
    signed: bytes
    mark_id: bytes


@dataclass(frozen=True)
class Marker:
    """Writes marked files. Used from several threads at once."""

    settings: MarkingSettings
    signer: Signer | None
    foundation: str
    foundation_digest: str

    def write(
        self,
        tenant: str,
        pixels: Pixels,
        extension: str,
        quality: int,
        parent: bytes | None,
        rights: TenantRights | None = None,
        prompts: str = "",
    ) -> MarkedFile:
        """The file of ``pixels``, uint8 [height, width, 3]; ``parent``: the file that they were painted over.

        ``rights``: what the tenant says of them; ``prompts``: what was told the model, written only where they want it.

        Raises:
            UnavailableError: C2PA_SIGNING_FAILED.
            FailedPreconditionError: SOURCE_UNSIGNABLE.
        """
        mark_id = mark_id_of(tenant, pixels) if self.settings.watermark else b""
        is_watermarked = bool(mark_id) and has_room(pixels)
        said = rights.over(self.settings.rights) if rights is not None else self.settings.rights
        description = Description(
            system="headshots",
            version=headshots.__version__,
            foundation=self.foundation,
            foundation_digest=self.foundation_digest,
            made_over=parent is not None,
            mark_id=mark_id,
            rights=said,
            prompts=prompts if said.with_prompts else "",
            is_watermarked=is_watermarked,
        )
        packet = write_packet(description) if self.settings.metadata else b""
        unsigned = encode(embed(pixels, mark_id) if is_watermarked else pixels, extension, quality, packet)
        if self.signer is None:
            return MarkedFile(unsigned, unsigned, mark_id)
        return MarkedFile(unsigned, self.signer.sign(unsigned, CONTENT_TYPES[extension], description, parent), mark_id)


def mark_id_of(tenant: str, pixels: Pixels) -> bytes:
    """What an image is named by: 8 bytes that its tenant and its pixels before the marking make.

    The same image has the same one, however often it is painted; nobody who has only the marked image can make it.
    """
    digest = hashlib.sha256(f"headshots image of {tenant}, {pixels.shape}\0".encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.digest()[:ID_BYTES]
