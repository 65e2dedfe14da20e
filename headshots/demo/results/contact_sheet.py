"""Draws the contact sheet: one picture of the whole run, selfies on top, then the shots of each style."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont, ImageOps

from headshots.demo.results.album import Album, open_picture

CELL_PX = 192
GAP_PX = 8
BLOCK_GAP_PX = 28
MARGIN_PX = 24
LABEL_PX = 30
TITLE_PX = 44
BACKGROUND = (250, 250, 248)
INK = (32, 34, 38)
FAINT_INK = (110, 114, 122)


def contact_sheet(album: Album) -> Image.Image:
    """Draw the sheet; every picture is fitted into a square, cropped at the longer side."""
    shots = max(len(group.shots) for group in album.groups)
    blocks = 2 if len(album.groups) >= 4 and shots <= 6 else 1
    block_width = shots * (CELL_PX + GAP_PX) - GAP_PX
    inner_width = blocks * (block_width + BLOCK_GAP_PX) - BLOCK_GAP_PX
    selfie_px = min(CELL_PX, (inner_width + GAP_PX) // len(album.selfies) - GAP_PX)
    rows = math.ceil(len(album.groups) / blocks)
    top = MARGIN_PX + TITLE_PX + LABEL_PX + selfie_px + GAP_PX
    row_height = LABEL_PX + CELL_PX + GAP_PX
    sheet = Image.new("RGB", (inner_width + 2 * MARGIN_PX, top + rows * row_height + MARGIN_PX), BACKGROUND)
    _write_title(sheet, album)
    _write_row(sheet, (MARGIN_PX, MARGIN_PX + TITLE_PX), selfie_px, f"The {len(album.selfies)} selfies", album.selfies)
    for number, group in enumerate(album.groups):
        row, block = divmod(number, blocks)
        corner = (MARGIN_PX + block * (block_width + BLOCK_GAP_PX), top + row * row_height)
        files = [shot.content for shot in group.shots]
        _write_row(sheet, corner, CELL_PX, group.style.display_name or group.style.name, files)
    return sheet


def _write_title(sheet: Image.Image, album: Album) -> None:
    draw = ImageDraw.Draw(sheet)
    draw.text((MARGIN_PX, MARGIN_PX - 4), album.person, INK, ImageFont.load_default(24))
    fact = f"{album.image_count} portraits, trained in {album.train_seconds:.0f} s on {album.foundation}"
    draw.text((sheet.width - MARGIN_PX, MARGIN_PX + 4), fact, FAINT_INK, ImageFont.load_default(15), anchor="ra")


def _write_row(sheet: Image.Image, corner: tuple[int, int], cell_px: int, label: str, files: Sequence[bytes]) -> None:
    left, top = corner
    ImageDraw.Draw(sheet).text((left, top + 6), label, INK, ImageFont.load_default(15))
    for column, content in enumerate(files):
        cell = ImageOps.fit(open_picture(content), (cell_px, cell_px), Image.Resampling.LANCZOS)
        sheet.paste(cell, (left + column * (cell_px + GAP_PX), top + LABEL_PX))
