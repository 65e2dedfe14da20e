"""Makes the pictures of the fake gateway."""

from __future__ import annotations

import hashlib
import io

from PIL import Image


def painted_png(style: str, seed: int) -> bytes:
    """A small picture whose colour tells style and seed."""
    digest = hashlib.sha256(f"{style}/{seed}".encode()).digest()
    packed = io.BytesIO()
    Image.new("RGB", (16, 16), (digest[0], digest[1], digest[2])).save(packed, "PNG")
    return packed.getvalue()
