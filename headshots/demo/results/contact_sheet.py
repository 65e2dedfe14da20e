"""Draws the contact sheet: one picture of the whole run, selfies on top, then the best ten large, then the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont, ImageOps

from headshots.demo.results.album import Album, Portrait, open_picture

BEST, BEST_COLUMNS, BEST_PX = 10, 5, 256
MORE_COLUMNS, MORE_PX, MORE_CELL_PX = 8, 128, 157
GAP_PX = 12
MARGIN_PX = 24
LABEL_PX = 34
CAPTION_PX = 58
TITLE_PX = 44
SELFIE_PX = 122
BACKGROUND = (250, 250, 248)
INK = (32, 34, 38)
FAINT_INK = (110, 114, 122)
GOOD_INK = (44, 122, 75)
BAD_INK = (164, 64, 47)
_WIDTH = BEST_COLUMNS * (BEST_PX + GAP_PX) - GAP_PX


@dataclass(frozen=True)
class _Rows:
    """Portraits of one size, in rows."""

    label: str
    portraits: Sequence[Portrait]
    columns: int
    side_px: int
    cell_px: int
    """What a picture has in width, for its caption."""

    @property
    def height(self) -> int:
        """With the label, and all captions."""
        rows = -(-len(self.portraits) // self.columns)
        return LABEL_PX + rows * (self.side_px + CAPTION_PX) if rows else 0


def contact_sheet(album: Album) -> Image.Image:
    """Draw the sheet; pictures are enlarged by whole steps, or made smaller and cropped to a square."""
    best, others = album.accepted[:BEST], [*album.accepted[BEST:], *album.others]
    title = f"The best {len(best)}" if len(album.accepted) > BEST else "Accepted, the best first"
    parts = [
        _Rows(title, best, BEST_COLUMNS, BEST_PX, BEST_PX),
        _Rows("The others", others, MORE_COLUMNS, MORE_PX, MORE_CELL_PX),
    ]
    selfie_px = min(SELFIE_PX, (_WIDTH + GAP_PX) // len(album.selfies) - GAP_PX)
    top = MARGIN_PX + TITLE_PX + LABEL_PX + selfie_px + GAP_PX
    height = top + sum(part.height for part in parts) + MARGIN_PX
    sheet = Image.new("RGB", (_WIDTH + 2 * MARGIN_PX, height), BACKGROUND)
    _write_title(sheet, album)
    _write_label(sheet, MARGIN_PX + TITLE_PX, f"The {len(album.selfies)} selfies")
    for column, content in enumerate(album.selfies):
        corner = (MARGIN_PX + column * (selfie_px + GAP_PX), MARGIN_PX + TITLE_PX + LABEL_PX)
        paste(sheet, corner, selfie_px, content)
    for part in parts:
        _write_rows(sheet, top, part)
        top += part.height
    return sheet


def _write_rows(sheet: Image.Image, top: int, part: _Rows) -> None:
    if part.portraits:
        _write_label(sheet, top, part.label)
    for number, portrait in enumerate(part.portraits):
        row, column = divmod(number, part.columns)
        corner = (
            MARGIN_PX + column * (part.cell_px + GAP_PX),
            top + LABEL_PX + row * (part.side_px + CAPTION_PX),
        )
        paste(sheet, corner, part.side_px, portrait.painted.content)
        _write_caption(sheet, (corner[0], corner[1] + part.side_px + 4), portrait, part.cell_px)


def _write_title(sheet: Image.Image, album: Album) -> None:
    draw, shoot = ImageDraw.Draw(sheet), album.shoot
    draw.text((MARGIN_PX, MARGIN_PX - 4), album.person, INK, ImageFont.load_default(24))
    guarantee = f"guarantee {shoot.guarantee.value.lower().replace('_', ' ')}" if shoot.guarantee else ""
    fact = f"{shoot.delivered} of {shoot.asked} portraits accepted in {shoot.tries} tries, {guarantee}"
    draw.text((sheet.width - MARGIN_PX, MARGIN_PX + 4), fact, FAINT_INK, ImageFont.load_default(15), anchor="ra")


def _write_label(sheet: Image.Image, top: int, label: str) -> None:
    ImageDraw.Draw(sheet).text((MARGIN_PX, top + 8), label, INK, ImageFont.load_default(15))


def paste(sheet: Image.Image, corner: tuple[int, int], side_px: int, content: bytes) -> None:
    """Into the square at the corner."""
    picture = open_picture(content)
    step = side_px // max(picture.size)
    if step:
        shown = picture.resize((step * picture.width, step * picture.height), Image.Resampling.NEAREST)
    else:
        shown = ImageOps.fit(picture, (side_px, side_px), Image.Resampling.LANCZOS)
    sheet.paste(shown, corner)


def _write_caption(sheet: Image.Image, corner: tuple[int, int], portrait: Portrait, width_px: int) -> None:
    """Rank and style, verdict and likeness, then the seed; each cut to the width."""
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    image = portrait.painted.image
    likeness = f", likeness {image.likeness:.2f}" if image.likeness is not None else ""
    lines: Sequence[tuple[str, tuple[int, int, int]]] = (
        (f"{image.rank}  {portrait.label}" if image.rank else portrait.label, INK),
        (f"{portrait.outcome}{likeness}", GOOD_INK if image.rank else BAD_INK),
        (f"seed {image.seed}", FAINT_INK),
    )
    for number, (text, ink) in enumerate(lines):
        while draw.textlength(text, font) > width_px:
            text = text[:-2].rstrip(" …") + "…"
        draw.text((corner[0], corner[1] + 17 * number), text, ink, font)
