"""Tests that wrong names, lists, addresses, certificates and keys are reported before anything is sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from headshots.client import AsyncHeadshots, Headshots, Remix
from headshots.client.names import Kind, resource_name
from headshots.errors import InvalidArgumentError, UnauthenticatedError

ADDRESS = "127.0.0.1:1"
PHOTO = "subjects/s/photos/" + "ab" * 16


def refusal(given: object, kind: Kind) -> str:
    with pytest.raises(InvalidArgumentError) as caught:
        resource_name(given, kind)
    assert caught.value.reason == "NAME_INVALID"
    assert caught.value.metadata == {"kind": kind.name.lower()}
    return caught.value.message


def test_names_and_bare_ids_are_taken() -> None:
    assert resource_name("ada-1", Kind.SUBJECT) == "subjects/ada-1"
    assert resource_name("subjects/ada-1", Kind.SUBJECT) == "subjects/ada-1"
    assert resource_name("studio", Kind.STYLE) == "styles/studio"
    for name, kind in (
        ("subjects/s/trainings/t", Kind.TRAINING),
        ("subjects/s/galleries/g", Kind.GALLERY),
        ("subjects/s/galleries/g/images/12", Kind.IMAGE),
        (PHOTO, Kind.PHOTO),
    ):
        assert resource_name(name, kind) == name


def test_what_can_be_no_name_is_told_in_words() -> None:
    assert refusal("Ada", Kind.SUBJECT).startswith("'Ada' names no subject: its name reads subjects/ID or the ID alone")
    assert "subjects/ID/trainings/ID" in refusal("nosuch", Kind.TRAINING)
    assert "'nosuch' names no gallery" in refusal("nosuch", Kind.GALLERY)
    assert "styles/ID or the ID alone" in refusal("styles/x/versions/1", Kind.STYLE)
    for given, kind in ((PHOTO + "ab", Kind.PHOTO), ("subjects/s/trainings/t", Kind.SUBJECT), ("", Kind.SUBJECT)):
        refusal(given, kind)


async def test_nothing_is_sent_for_what_cannot_be() -> None:
    async with AsyncHeadshots(ADDRESS, "key") as client:
        with pytest.raises(InvalidArgumentError, match="NO_PHOTOS"):
            await client.upload_photos("s", [])
        with pytest.raises(TypeError, match=r"photos takes a list, not one str; write \['/tmp/x'\]"):
            await client.upload_photos("s", "/tmp/x")
        with pytest.raises(TypeError, match="not one PosixPath"):
            await client.inspect_photos("s", Path("/tmp/x"))  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="styles takes a list"):
            await client.create_gallery("s", "studio")
        with pytest.raises(InvalidArgumentError, match="STYLES_REPEATED: styles/a is asked for twice"):
            await client.create_gallery("s", ["a", "styles/a"])
        with pytest.raises(InvalidArgumentError, match="'3' names no image"):
            await client.create_gallery("s", ["a"], remix=Remix("3"))


@pytest.mark.parametrize("address", ["localhost", "localhost:", "localhost:0", "localhost:99999", ":50051", "a b:1"])
def test_an_address_without_host_and_port_is_refused(address: str) -> None:
    with pytest.raises(InvalidArgumentError, match=r"ADDRESS_INVALID: .*not host:port.*localhost:50051"):
        Headshots(address, "key")


def test_a_url_is_no_address() -> None:
    with pytest.raises(InvalidArgumentError, match=r"ADDRESS_INVALID: .* is a URL; .* as in 127.0.0.1:50051$"):
        Headshots("http://127.0.0.1:50051/", "key")
    with pytest.raises(InvalidArgumentError, match="--tls-ca"):
        Headshots("https://portraits.example:443", "key")


@pytest.mark.parametrize("address", ["[::1]:50051", "gateway.example:443", "dns:///gateway:50051", "unix:/run/x.sock"])
async def test_other_addresses_are_grpcs_to_judge(address: str) -> None:
    await AsyncHeadshots(address, "key").close()


def test_authorities_are_certificates() -> None:
    with pytest.raises(InvalidArgumentError, match="CERTIFICATES_INVALID"):
        Headshots(ADDRESS, "key", root_certificates=b"# headshots\n")
    with pytest.raises(InvalidArgumentError, match="CERTIFICATES_INVALID"):
        Headshots(ADDRESS, "key", root_certificates=b"\xff\xfe")


@pytest.mark.parametrize("key", ["hs_…", "hs_0_abc\n", "hs_0_\x00"])
def test_a_key_that_cannot_be_sent_is_refused_in_words(key: str) -> None:
    with pytest.raises(UnauthenticatedError, match=r"API_KEY_INVALID: .* no key has"):
        Headshots(ADDRESS, key)
