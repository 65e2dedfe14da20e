"""Finds what an earlier create call with the same `request_id` made, and refuses one that asks for something else.

Blocking SQL. A table of what can be created has the columns `request_id` and `request_parameters`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from headshots.errors import AlreadyExistsError, FieldViolation


@dataclass(frozen=True)
class IdempotencyKey:
    """The `request_id` of a create call and all else that was asked with it; without an id every call makes anew."""

    request_id: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """The request's fields as JSON, those that were left out missing."""

    @property
    def columns(self) -> dict[str, Any]:
        """Values of the row that the call makes."""
        if not self.request_id:
            return {}
        return {"request_id": self.request_id, "request_parameters": dict(self.parameters)}


def find_made(
    connection: Connection, table: sa.Table, parent: sa.ColumnElement[bool], key: IdempotencyKey
) -> Row[Any] | None:
    """The row that an earlier call with this key made among those of `parent`; None where there is none.

    The caller has locked the parent's row, so that two calls with one id do not both find nothing.

    Raises:
        AlreadyExistsError: REQUEST_ID_REUSED, the earlier call asked for something else; each field that differs.
    """
    if not key.request_id:
        return None
    made = connection.execute(sa.select(table).where(parent, table.c.request_id == key.request_id)).first()
    # Rows of before parameters were kept have none.
    if made is not None and made.request_parameters is not None:
        _check_same(key, made.request_parameters)
    return made


def _check_same(key: IdempotencyKey, earlier: Mapping[str, Any]) -> None:
    fields = list(_differing(earlier, key.parameters))
    if fields:
        raise AlreadyExistsError(
            "REQUEST_ID_REUSED",
            f"an earlier call with request_id {key.request_id!r} had other values of {', '.join(fields)}; send the "
            "same ones to be answered with what it made, or a new request_id to make another",
            violations=[FieldViolation(name, "differs from the earlier call's") for name in fields],
        )


def _differing(one: Mapping[str, Any], other: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Paths of the fields whose values differ; those of messages field by field."""
    for name in sorted({*one, *other}):
        first, second = one.get(name), other.get(name)
        if isinstance(first, Mapping) and isinstance(second, Mapping):
            yield from _differing(first, second, f"{prefix}{name}.")
        elif first != second:
            yield f"{prefix}{name}"
