"""Receipts have one form, that of RFC 8785."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from headshots.receipts.canonical import canonical, parsed


def test_it_is_the_form_that_the_rfc_gives() -> None:
    document = {"b": [1, -2, True, False, None], "a": {"é"[:0] + "z": 'a "quoted" \\ text', "Z": ""}}
    assert canonical(document) == b'{"a":{"Z":"","z":"a \\"quoted\\" \\\\ text"},"b":[1,-2,true,false,null]}'
    assert parsed(canonical(document)) == document


@pytest.mark.parametrize("value", [1.5, 2**53, -(2**53), "naïve", "a\nb", "\x7f", b"a", {1: 2}, {"ü": 1}, [{"a": 0.0}]])
def test_what_languages_write_differently_has_no_place(value: Any) -> None:
    with pytest.raises(ValueError, match=r"place|larger|printable"):
        canonical({"value": value})


def fault_of(data: bytes) -> str:
    """Why it is not taken; empty: it is."""
    try:
        parsed(data)
    except ValueError as error:
        return str(error)
    return ""


def test_one_that_is_nested_at_any_depth_is_taken_or_refused_with_the_reason() -> None:
    deep = (b'{"a":' + b"[" * depth + b"]" * depth + b"}" for depth in range(1, sys.getrecursionlimit() + 10))
    assert {fault_of(data) for data in deep} == {"", "it is nested too deeply"}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{",
        b'{"b":1,"a":2}',
        b'{"a": 1}',
        b'{"a":1,"a":1}',
        b'{"a":1.0}',
        b'{"a":1e0}',
        b'{"a":NaN}',
        b'{"a":"\\u0041"}',
        b'{"a":"\xff"}',
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":1}\n',
        b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
    ids=range(14),
)
def test_no_other_form_is_taken(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parsed(data)
