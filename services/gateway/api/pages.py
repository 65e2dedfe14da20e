"""Cuts lists into pages by key.

A page token holds the position of the last item of the page before, so rows that come or go between two calls shift
nothing.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from headshots.errors import FieldViolation, InvalidArgumentError

DEFAULT_PAGE = 50
"""Items of a page where the caller names no number."""
ItemT = TypeVar("ItemT")
# The largest 64-bit integer of a database; no time is above it either.
_LARGEST = 2**63 - 1
Position = tuple[float | str, ...]


def encode_token(position: Position) -> str:
    """URL-safe text; opaque to callers."""
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def decode_token(token: str, kinds: tuple[type, ...]) -> Position | None:
    """The position in a token; None where the token is empty, for the first page.

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
        raise page_token_invalid()
    return tuple(position)


def page_token_invalid() -> InvalidArgumentError:
    """The token is of no list, or of another."""
    message = "not a page_token of this list; send next_page_token as it came, or leave it empty"
    return InvalidArgumentError("PAGE_TOKEN_INVALID", message, violations=[FieldViolation("page_token", message)])


def _is_storable(part: float | str) -> bool:
    """Whether a database accepts the value in a comparison; every value that `encode_token` was given is accepted."""
    if isinstance(part, str):
        return part.isascii() and part.isprintable()
    return abs(part) <= _LARGEST


def cut_page(items: Sequence[ItemT], size: int, position_of: Callable[[ItemT], Position]) -> tuple[list[ItemT], str]:
    """The page and the next token, of at most `size` + 1 items; the last of them shows that there is a next page."""
    page = list(items[:size])
    return page, encode_token(position_of(page[-1])) if len(items) > size else ""


class NewestFirst:
    """One page of a table's rows, newest first. The table has the columns `created_at` and `id`."""

    def __init__(self, table: sa.Table, where: sa.ColumnElement[bool], size: int, token: str) -> None:
        """Takes the rows that `where` selects.

        Raises:
            InvalidArgumentError: PAGE_TOKEN_INVALID.
        """
        self._size = size
        self.query = (
            sa.select(table).where(where).order_by(table.c.created_at.desc(), table.c.id.desc()).limit(size + 1)
        )
        if position := decode_token(token, (float, str)):
            self.query = self.query.where(sa.tuple_(table.c.created_at, table.c.id) < position)

    def read(self, connection: Connection) -> tuple[list[Row[Any]], str]:
        """The page's rows and the next token."""
        return cut_page(connection.execute(self.query).all(), self._size, lambda row: (row.created_at, row.id))
