"""Writes JSON in the one form that RFC 8785 gives it, so that its bytes can be signed.

Only what receipts are made of: objects, arrays, text of printable ASCII, whole numbers that every language reads alike,
true, false and null. Of these Python's own encoder writes the canonical form: keys in the order of their bytes, no
spaces, no escapes but of quotes and backslashes.
"""

from __future__ import annotations

import json
from typing import Any

_LARGEST = 2**53 - 1


def canonical(document: Any) -> bytes:
    """The canonical form.

    Raises:
        ValueError: it has something that receipts are not made of.
    """
    _check(document)
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode("ascii")


def parsed(data: bytes) -> dict[str, Any]:
    """The object of which the bytes are the canonical form.

    Raises:
        ValueError: they are no JSON object, or another form of one.
    """
    try:
        document = json.loads(data)
        # What can be read may still be too deep to be written.
        same = isinstance(document, dict) and canonical(document) == data
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(document, dict):
        raise ValueError("it is no JSON object")
    if not same:
        raise ValueError("it is not in canonical form (RFC 8785)")
    return document


def _check(value: Any) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            _check_text(key)
            _check(inner)
    elif isinstance(value, list):
        for inner in value:
            _check(inner)
    elif isinstance(value, str):
        _check_text(value)
    elif isinstance(value, int):
        if abs(value) > _LARGEST:
            raise ValueError(f"{value} is a larger number than every language reads")
    elif value is not None:
        raise ValueError(f"a {type(value).__name__} has no place in a receipt")


def _check_text(value: Any) -> None:
    if not (isinstance(value, str) and value.isascii() and (value.isprintable() or not value)):
        raise ValueError(f"{value!r} is not text of printable ASCII")
