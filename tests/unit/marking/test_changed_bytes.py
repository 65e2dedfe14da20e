"""A signed file in which any byte was changed is not taken for what was signed, also where no hash covers the byte."""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from headshots.marking.authority import AUTHORITY, own_authority
from headshots.marking.boxes import check_store
from headshots.marking.containers import manifest_store
from headshots.marking.credentials import load_credentials
from headshots.marking.description import Description
from headshots.marking.manifest import Signer, read_manifest
from headshots.marking.rights import Rights
from headshots.marking.verification import SignatureState
from services.generator.images.encoding import CONTENT_TYPES, encode

DESCRIPTION = Description("headshots", "1.2.3", "tiny", "ab" * 32, False, bytes(8), Rights())
PIXELS = np.random.default_rng(0).integers(0, 256, (16, 24, 3), np.uint8)
# A box's length, its type, and the UUID, flags and name in its description; the name and length of the padding.
UNCOVERED = re.compile(rb".{4}jumb.{24}[\x03\x13][\w.:-]+\0|cpad...", re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home") / "marking"


@pytest.fixture(scope="module")
def signer(folder: Path) -> Signer:
    return Signer(load_credentials(*own_authority(folder)))


def places(signed: bytes, extension: str) -> list[int]:
    """Offsets of the bytes that no hash covers: in boxes, and what holds the store in the file."""
    found = {at for match in UNCOVERED.finditer(signed) for at in range(*match.span())}
    begin = signed.index(b"jumb") - 4
    length = int.from_bytes(signed[begin : begin + 4], "big")
    found |= set(range(begin - 12, begin)) if extension == "jpg" else set(range(begin - 8, begin))
    if extension == "png":
        found |= set(range(begin + length, begin + length + 4))
    return sorted(found)


@pytest.mark.parametrize("is_remix", [False, True])
@pytest.mark.parametrize("extension", CONTENT_TYPES)
def test_a_changed_byte_that_no_hash_covers_is_noticed(
    signer: Signer, folder: Path, extension: str, is_remix: bool
) -> None:
    trusted, media_type = (folder / AUTHORITY).read_text(), CONTENT_TYPES[extension]
    parent = signer.sign(encode(PIXELS[::-1], extension), media_type, DESCRIPTION) if is_remix else None
    signed = signer.sign(encode(PIXELS, extension), media_type, DESCRIPTION, parent)
    assert read_manifest(signed, media_type, trusted).state is SignatureState.TRUSTED
    where = places(signed, extension)
    assert len(where) > 300
    missed = []
    for number, at in enumerate(where):
        changed = bytearray(signed)
        changed[at] ^= 1 << (number % 8)
        found = read_manifest(bytes(changed), media_type, trusted)
        if found.state in (SignatureState.TRUSTED, SignatureState.UNTRUSTED):
            missed.append((at, number % 8, bytes(signed[at - 8 : at + 8])))
    assert missed == []


@pytest.mark.parametrize("extension", CONTENT_TYPES)
def test_a_remix_is_walked_with_the_manifest_of_its_source(signer: Signer, extension: str) -> None:
    media_type = CONTENT_TYPES[extension]
    parent = signer.sign(encode(PIXELS, extension), media_type, DESCRIPTION)
    signed = signer.sign(encode(PIXELS[::-1], extension), media_type, DESCRIPTION, parent)
    store = manifest_store(signed, media_type)
    check_store(store)
    assert len(store) > 1.5 * len(manifest_store(parent, media_type))


def test_a_second_store_is_none(signer: Signer) -> None:
    signed = signer.sign(encode(PIXELS, "png"), "image/png", DESCRIPTION)
    store = manifest_store(signed, "image/png")
    chunk = struct.pack(">I", len(store)) + b"caBX" + store
    chunk += struct.pack(">I", zlib.crc32(chunk[4:]))
    end = len(signed) - 12
    with pytest.raises(ValueError, match="2 manifest stores"):
        manifest_store(signed[:end] + chunk + signed[end:], "image/png")
    with pytest.raises(ValueError, match="after the last chunk"):
        manifest_store(signed + b"\0", "image/png")
    with pytest.raises(ValueError, match="0 manifest stores"):
        manifest_store(encode(PIXELS, "jpg"), "image/jpeg")


def test_a_store_of_several_segments_is_read_whole_and_in_order(signer: Signer) -> None:
    long = replace(DESCRIPTION, foundation="x" * 70_000)
    signed = signer.sign(encode(PIXELS, "jpg"), "image/jpeg", long)
    store = manifest_store(signed, "image/jpeg")
    check_store(store)
    assert len(store) > 70_000
    again = signed.index(store[:8], signed.index(store[:8]) + 8)
    with pytest.raises(ValueError, match="not the next one"):
        manifest_store(signed[:again] + bytes(8) + signed[again + 8 :], "image/jpeg")


def test_nothing_follows_a_signature_in_its_box(signer: Signer) -> None:
    store = bytearray(manifest_store(signer.sign(encode(PIXELS, "png"), "image/png", DESCRIPTION), "image/png"))
    manifest = store.index(b"jumb", 8)
    for at in (0, manifest - 4, store.rindex(b"jumb") - 4, store.rindex(b"cbor\xd2") - 4):
        store[at : at + 4] = (int.from_bytes(store[at : at + 4], "big") + 1).to_bytes(4, "big")
    with pytest.raises(ValueError, match="no COSE_Sign1"):
        check_store(bytes(store) + b"\xf6")


@pytest.mark.parametrize(
    "store", [b"", b"\0\0\0\x08jumb", b"\0\0\0\xffjumb", b"\0\0\0\x07jumb" * 3, b"jumb", b"\xff" * 64]
)
def test_what_is_no_store_is_refused(store: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        check_store(store)
