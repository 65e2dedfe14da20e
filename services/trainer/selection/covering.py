"""Covers painted portraits that seem to show nudity, so that nobody sees them and none is stored. No torch here."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from itertools import chain

import numpy as np
from PIL import Image, ImageDraw

from headshots.acceptance.safety import check_safety, tells_unsafe
from headshots.faces import FaceAnalyzer, Pixels

log = logging.getLogger(__name__)

_GREY, _WRITTEN = (96, 96, 96), (255, 255, 255)
_WORDS = "not shown:\nmay show\nnudity"
# Of a tile's width: a line of the words fits into it, and is read in a contact sheet.
_LETTER_SHARE = 0.13


def cover_unsafe(analyzer: FaceAnalyzer | None, portraits: Sequence[Sequence[Pixels]]) -> list[list[Pixels]]:
    """``portraits`` with a plain tile that says so for each that is unsafe, of the same size.

    The same pictures where the analyzer has no net for nudity, or there is no analyzer: nobody can look then.
    """
    if analyzer is None or not tells_unsafe(analyzer):
        return [list(row) for row in portraits]
    rows = [[_shown(analyzer, each) for each in row] for row in portraits]
    covered = sum(shown is not each for shown, each in zip(chain(*rows), chain(*portraits), strict=True))
    if covered:
        log.warning("%d of %d portraits may show nudity, and are covered", covered, sum(map(len, rows)))
    return rows


def _shown(analyzer: FaceAnalyzer, portrait: Pixels) -> Pixels:
    return portrait if check_safety(analyzer, portrait).passed else _tile(*portrait.shape[:2])


def _tile(height: int, width: int) -> Pixels:
    tile = Image.new("RGB", (width, height), _GREY)
    size = max(width * _LETTER_SHARE, 1.0)
    ImageDraw.Draw(tile).multiline_text(
        (width / 2, height / 2), _WORDS, fill=_WRITTEN, font_size=size, anchor="mm", align="center"
    )
    return np.asarray(tile)
