"""Each layer of a marked file says what it is, and verification tells which one spoke."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from headshots.errors import FailedPreconditionError, InvalidPhotoError
from headshots.marking import manifest
from headshots.marking.authority import AUTHORITY, own_authority
from headshots.marking.credentials import load_credentials
from headshots.marking.description import MADE, MADE_OVER, Description
from headshots.marking.manifest import Signer, read_manifest
from headshots.marking.rights import Rights
from headshots.marking.verification import SignatureState
from headshots.marking.verifying import verify
from headshots.marking.xmp import read_packet, write_packet
from services.generator.images.encoding import CONTENT_TYPES, encode

DESCRIPTION = Description("headshots", "1.2.3", "tiny & small", "ab" * 32, False, bytes(8), Rights())
PIXELS = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home") / "marking"
    own_authority(folder)
    return folder


@pytest.fixture(scope="module")
def signer(authority: Path) -> Signer:
    return Signer(load_credentials(*own_authority(authority)))


@pytest.mark.parametrize("extension", CONTENT_TYPES)
def test_a_file_of_each_format_carries_metadata_and_signature(signer: Signer, authority: Path, extension: str) -> None:
    file = encode(PIXELS, extension, packet=write_packet(DESCRIPTION))
    signed = signer.sign(file, CONTENT_TYPES[extension], DESCRIPTION)
    found = verify(signed, (authority / AUTHORITY).read_text())
    assert found.signature.state is SignatureState.TRUSTED
    assert found.signature.mark_id == bytes(8).hex()
    assert found.metadata is not None
    assert found.metadata.source_type == MADE
    assert found.metadata.system == "headshots, foundation tiny & small"
    assert "commercial" in found.metadata.usage_terms
    assert (found.made_by_machine, found.by_headshots) == (True, True)
    with Image.open(io.BytesIO(signed)) as image, Image.open(io.BytesIO(encode(PIXELS, extension))) as plain:
        assert np.array_equal(np.asarray(image), np.asarray(plain))
    assert len(signed) - len(file) < 6_000, "no thumbnail"


def test_without_a_packet_the_file_is_what_it_always_was() -> None:
    for extension in CONTENT_TYPES:
        assert b"xmp" not in encode(PIXELS, extension).lower()


def test_a_stranger_knows_the_signature_as_valid_and_not_as_trusted(signer: Signer) -> None:
    signed = signer.sign(encode(PIXELS, "png"), "image/png", DESCRIPTION)
    found = verify(signed)
    assert found.signature.state is SignatureState.UNTRUSTED
    assert (found.made_by_machine, found.by_headshots) == (True, False)


def test_a_changed_pixel_breaks_the_signature(signer: Signer, authority: Path) -> None:
    signed = bytearray(signer.sign(encode(PIXELS, "jpg"), "image/jpeg", DESCRIPTION))
    signed[-100] ^= 1
    found = read_manifest(bytes(signed), "image/jpeg", (authority / AUTHORITY).read_text())
    assert found.state is SignatureState.BROKEN
    assert "assertion.dataHash.mismatch" in found.failures


def test_nothing_hides_in_the_padding_of_a_signature(signer: Signer, authority: Path) -> None:
    signed = bytearray(signer.sign(encode(PIXELS, "jpg"), "image/jpeg", DESCRIPTION))
    signed[signed.rindex(b"cpad") + 100] = ord("x")
    found = read_manifest(bytes(signed), "image/jpeg", (authority / AUTHORITY).read_text())
    assert (found.state, found.failures) == (SignatureState.BROKEN, ("structure.changed",))


def test_what_a_stranger_wrote_under_our_name_is_no_mark(
    signer: Signer, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    definition = manifest._definition

    def listing(*args: Any, **kwargs: Any) -> dict[str, Any]:
        made = definition(*args, **kwargs)
        made["assertions"][-1]["data"] = ["mark"]
        return made

    monkeypatch.setattr(manifest, "_definition", listing)
    found = read_manifest(signer.sign(encode(PIXELS, "png"), "image/png", DESCRIPTION), "image/png")
    assert (found.state, found.mark_id) == (SignatureState.UNTRUSTED, None)


def test_a_remix_refers_to_what_it_was_painted_over(signer: Signer, authority: Path) -> None:
    parent = signer.sign(encode(PIXELS, "png"), "image/png", DESCRIPTION)
    over = replace(DESCRIPTION, made_over=True)
    signed = signer.sign(encode(PIXELS[::-1], "png", packet=write_packet(over)), "image/png", over, parent)
    found = verify(signed, (authority / AUTHORITY).read_text())
    assert found.signature.state is SignatureState.TRUSTED
    assert found.metadata is not None
    assert found.metadata.source_type == MADE_OVER
    assert b"parentOf" in signed
    with pytest.raises(FailedPreconditionError) as caught:
        signer.sign(encode(PIXELS, "png"), "image/png", over, b"\x89PNG\r\n\x1a\nand nothing else")
    assert caught.value.reason == "SOURCE_UNSIGNABLE"


def test_two_signatures_of_a_file_differ_in_their_random_parts_only_in_bytes(signer: Signer) -> None:
    file = encode(PIXELS, "png")
    one, other = (signer.sign(file, "image/png", DESCRIPTION) for _ in range(2))
    assert one != other, "were they equal, files could be stored under their own digest again"
    assert len(one) == len(other)


def test_a_file_without_any_layer_says_nothing() -> None:
    found = verify(encode(PIXELS, "png"))
    assert (found.signature.state, found.metadata, found.watermark) == (SignatureState.NONE, None, None)
    assert (found.made_by_machine, found.by_headshots) == (False, False)
    with pytest.raises(InvalidPhotoError):
        verify(b"no picture")


def test_metadata_are_read_as_attributes_too_and_harmful_ones_are_not() -> None:
    iptc = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
    attribute = f'<a xmlns:i="{iptc}" i:DigitalSourceType="{MADE}"/>'.encode()
    found = read_packet(attribute)
    assert found is not None
    assert found.source_type == MADE
    bomb = b'<!DOCTYPE a [<!ENTITY b "bb">]>' + attribute
    hidden = b"\xfe\xff" + f'<?xml version="1.0"?>{bomb.decode()}'.encode("utf-16-be")
    useless = b"<a", b"", b"\xff\xfe", b"<a/>", b" " * (2 << 20)
    assert [read_packet(packet) for packet in (bomb, hidden, *useless)] == [None] * 7
