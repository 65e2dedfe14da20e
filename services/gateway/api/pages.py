"""Cuts lists into pages by key: a token holds where the page before ended, so rows that come or go shift nothing."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import TypeVar

from headshots.errors import FieldViolation, InvalidArgumentError

DEFAULT_PAGE = 50
"""Items of a page where the caller names no number."""
ItemT = TypeVar("ItemT")
# What fits the 64 bits of a database's integer; no finite or infinite float above it is a time either.
_LARGEST = 2**63 - 1
Position = tuple[float | str, ...]


def encode_token(position: Position) -> str:
    """URL-safe text; opaque to callers."""
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def decode_token(token: str, kinds: tuple[type, ...]) -> Position | None:
    """None for the first page.

    Raises:
        InvalidArgumentError: PAGE_TOKEN_INVALID.
    """
    if not token:
        return None
    try:
        position = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (binascii.Error, ValueError):
        position = None
    if (
        not isinstance(position, list)
        or [type(part) for part in position] != list(kinds)
        or not all(map(_is_storable, position))
    ):
        message = "not a page_token of this list; send next_page_token as it came, or leave it empty"
        raise InvalidArgumentError("PAGE_TOKEN_INVALID", message, violations=[FieldViolation("page_token", message)])
    return tuple(position)


def _is_storable(part: float | str) -> bool:
    """Whether a database takes it as a value to compare with; every position that `encode_token` had is."""
    if isinstance(part, str):
        return part.isascii() and part.isprintable()
    return abs(part) <= _LARGEST


def cut_page(items: Sequence[ItemT], size: int, position_of: Callable[[ItemT], Position]) -> tuple[list[ItemT], str]:
    """(the page, the next token) of at most `size` + 1 items; the one too many tells that there is a next page."""
    page = list(items[:size])
    return page, encode_token(position_of(page[-1])) if len(items) > size else ""
