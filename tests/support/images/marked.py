"""What becomes of image files outside."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from benchmarks.promises.damages import screenshot


def screenshot_of(file: bytes) -> bytes:
    """A JPEG file of a window that shows an image file."""
    shown = io.BytesIO()
    Image.fromarray(screenshot(np.asarray(Image.open(io.BytesIO(file))))).save(shown, "JPEG", quality=90)
    return shown.getvalue()
