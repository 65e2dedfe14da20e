"""The manifest store of a WebP is read only where the file is as long as it says."""

from __future__ import annotations

import struct

import pytest

from headshots.marking.containers import manifest_store

STORE = b"a store"


def chunk(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def webp(*chunks: bytes, longer: int = 0) -> bytes:
    content = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(content) + longer) + content


def test_the_store_of_a_webp_is_found() -> None:
    assert manifest_store(webp(chunk(b"VP8 ", b"pixels"), chunk(b"C2PA", STORE)), "image/webp") == STORE


@pytest.mark.parametrize(
    "data",
    [
        # A further chunk, whole by itself, that the file's length leaves out.
        webp(chunk(b"C2PA", STORE)) + chunk(b"XXXX", b""),
        webp(chunk(b"C2PA", STORE), longer=8),
        webp(chunk(b"C2PA", STORE), longer=-8),
    ],
)
def test_a_webp_of_another_length_than_it_says_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="no WebP of this length"):
        manifest_store(data, "image/webp")
