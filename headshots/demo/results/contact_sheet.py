"""Draws the contact sheet: one picture of the whole run, selfies on top, then the portraits, the best first."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont, ImageOps

from headshots.demo.results.album import Album, Portrait, open_picture

# Fewer where there are fewer portraits, but the title needs its room.
COLUMNS, FEWEST_COLUMNS = 8, 4
CELL_PX = 192
GAP_PX = 8
MARGIN_PX = 24
LABEL_PX = 30
CAPTION_PX = 46
TITLE_PX = 44
BACKGROUND = (250, 250, 248)
INK = (32, 34, 38)
FAINT_INK = (110, 114, 122)
GOOD_INK = (44, 122, 75)
BAD_INK = (164, 64, 47)


def contact_sheet(album: Album) -> Image.Image:
    """Draw the sheet; every picture is fitted into a square, cropped at the longer side."""
    columns = min(COLUMNS, max(FEWEST_COLUMNS, len(album.portraits)))
    inner_width = columns * (CELL_PX + GAP_PX) - GAP_PX
    selfie_px = min(CELL_PX, (inner_width + GAP_PX) // len(album.selfies) - GAP_PX)
    rows = math.ceil(len(album.portraits) / columns)
    top = MARGIN_PX + TITLE_PX + LABEL_PX + selfie_px + GAP_PX
    row_height = CELL_PX + CAPTION_PX
    height = top + LABEL_PX + rows * row_height + MARGIN_PX
    sheet = Image.new("RGB", (inner_width + 2 * MARGIN_PX, height), BACKGROUND)
    _write_title(sheet, album)
    _write_label(sheet, MARGIN_PX + TITLE_PX, f"The {len(album.selfies)} selfies")
    for column, content in enumerate(album.selfies):
        corner = (MARGIN_PX + column * (selfie_px + GAP_PX), MARGIN_PX + TITLE_PX + LABEL_PX)
        _paste(sheet, corner, selfie_px, content)
    _write_label(sheet, top, "The portraits, the best first")
    for number, portrait in enumerate(album.portraits):
        row, column = divmod(number, columns)
        corner = (MARGIN_PX + column * (CELL_PX + GAP_PX), top + LABEL_PX + row * row_height)
        _paste(sheet, corner, CELL_PX, portrait.painted.content)
        _write_caption(sheet, (corner[0], corner[1] + CELL_PX + 4), portrait)
    return sheet


def _write_title(sheet: Image.Image, album: Album) -> None:
    draw, shoot = ImageDraw.Draw(sheet), album.shoot
    draw.text((MARGIN_PX, MARGIN_PX - 4), album.person, INK, ImageFont.load_default(24))
    guarantee = f"guarantee {shoot.guarantee.value.lower().replace('_', ' ')}" if shoot.guarantee else ""
    fact = f"{shoot.delivered} of {shoot.asked} portraits accepted in {shoot.tries} tries, {guarantee}"
    draw.text((sheet.width - MARGIN_PX, MARGIN_PX + 4), fact, FAINT_INK, ImageFont.load_default(15), anchor="ra")


def _write_label(sheet: Image.Image, top: int, label: str) -> None:
    ImageDraw.Draw(sheet).text((MARGIN_PX, top + 6), label, INK, ImageFont.load_default(15))


def _paste(sheet: Image.Image, corner: tuple[int, int], side_px: int, content: bytes) -> None:
    sheet.paste(ImageOps.fit(open_picture(content), (side_px, side_px), Image.Resampling.LANCZOS), corner)


def _write_caption(sheet: Image.Image, corner: tuple[int, int], portrait: Portrait) -> None:
    """Rank and style, then the verdict; both cut to the picture's width."""
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    rank = portrait.painted.image.rank
    lines: Sequence[tuple[str, tuple[int, int, int]]] = (
        (f"{rank}  {portrait.label}" if rank else portrait.label, INK),
        (portrait.outcome, GOOD_INK if rank else BAD_INK),
    )
    for number, (text, ink) in enumerate(lines):
        while draw.textlength(text, font) > CELL_PX:
            text = text[:-2].rstrip(" …") + "…"
        draw.text((corner[0], corner[1] + 17 * number), text, ink, font)
