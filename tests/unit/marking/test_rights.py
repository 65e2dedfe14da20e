"""What images say of rights: the installation's or the tenant's, in XMP and manifest, whatever the text has in it."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import c2pa
import pytest
from PIL import Image

from headshots.errors import InvalidArgumentError
from headshots.marking.description import Description
from headshots.marking.rights import OWNER, USAGE_TERMS, Rights, TenantRights, fault_of
from headshots.marking.settings import MarkingSettings
from headshots.marking.xmp import read_packet, write_packet

DESCRIPTION = Description("headshots", "1", "tiny", "ab" * 32, False, b"", Rights())
HOSTILE = (
    "</rdf:li></rdf:Alt></xmpRights:UsageTerms><xmpRights:Owner>Mallory</xmpRights:Owner>",
    '<!DOCTYPE x [<!ENTITY a "b">]>&a;&#0;',
    "]]>--><?xpacket end='w'?>\"'",
    "עברית 文 🎉",
)


def said_by(rights: Rights, prompts: str = "") -> Any:
    said = read_packet(write_packet(replace(DESCRIPTION, rights=rights, prompts=prompts)))
    assert said is not None
    return said


def test_by_default_the_person_owns_the_image_and_may_use_it_commercially() -> None:
    said = said_by(Rights())
    assert (said.owner, said.usage_terms, said.licence) == (OWNER, USAGE_TERMS, "")
    assert "commercial" in said.usage_terms


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_is_read_as_it_was_given_and_says_nothing_else(text: str) -> None:
    for rights in (Rights(owner=text), Rights(usage_terms=text), Rights(licence=text)):
        said = said_by(rights, prompts=text)
        assert (said.owner, said.usage_terms, said.licence) == (rights.owner, rights.usage_terms, rights.licence)
        packet = write_packet(replace(DESCRIPTION, rights=rights, prompts=text)).decode()
        assert packet.count("<xmpRights:Owner>") == packet.count("<?xpacket end") == 1
        assert "<!" not in packet


def test_a_licence_is_a_web_page_or_a_text() -> None:
    for licence, url in (
        ("https://example.com/licence?id=1&for=me", True),
        ("HTTP://example.com", True),
        ("CC BY 4.0", False),
        ("https://example.com applies, but for newspapers", False),
        ("javascript:alert(1)", False),
        ("https://", False),
    ):
        packet = write_packet(replace(DESCRIPTION, rights=Rights(licence=licence))).decode()
        assert ("xmpRights:WebStatement>" in packet, "plus:TermsAndConditionsText>" in packet) == (url, not url)
        assert said_by(Rights(licence=licence)).licence == licence


def test_a_prompt_is_said_and_what_xml_cannot_hold_is_replaced() -> None:
    packet = write_packet(replace(DESCRIPTION, prompts="a man\x01\ufffe\nNegative prompt: <blur>"))
    (found,) = ElementTree.fromstring(packet).iter("{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}AIPromptInformation")
    assert found.text == "a man\ufffd\ufffd\nNegative prompt: <blur>"
    assert b"AIPromptInformation" not in write_packet(DESCRIPTION)


def test_a_tenant_says_what_it_says_and_the_installation_the_rest() -> None:
    installation = Rights("The studio", "Ask us.", "https://example.com")
    assert TenantRights().over(installation) == installation
    assert TenantRights("Ada", licence="", with_prompts=True).over(installation) == Rights("Ada", "Ask us.", "", True)
    one = TenantRights("Ada")
    others = (
        TenantRights("Bob"),
        TenantRights(usage_terms="Ada"),
        TenantRights("Ada", with_prompts=True),
        TenantRights(),
    )
    assert one.digest == TenantRights("Ada").digest
    assert one.digest not in {other.digest for other in others}


@pytest.mark.parametrize("text", ["a\nb", "\r.", "\0", "\x1b[31m", "\x85.", "a\u2028b", "a\u202eb", "\ufffe", "\ud800"])
def test_no_image_can_say_control_characters(text: str) -> None:
    assert "has the control character U+" in fault_of(text, 8)


def test_texts_have_an_end_and_say_something() -> None:
    assert [fault_of(text, 8) for text in ("é" * 8, "文 🎉", "a")] == [""] * 3
    assert fault_of("", 8, may_be_empty=True) == ""
    assert "say it in 8" in fault_of("a" * 9, 8)
    assert all("blank" in fault for fault in (fault_of("", 8), fault_of("  ", 8), fault_of(" ", 8, may_be_empty=True)))


@pytest.mark.parametrize(
    ("name", "value"),
    [("OWNER", "a\x01"), ("OWNER", "a" * 257), ("USAGE_TERMS", " "), ("USAGE_TERMS", "a" * 1025), ("LICENCE", "a\nb")],
)
def test_an_installation_is_held_to_the_same(tmp_path: Path, name: str, value: str) -> None:
    environ = {"HEADSHOTS_HOME": str(tmp_path), f"HEADSHOTS_MARKING_{name}": value}
    with pytest.raises(InvalidArgumentError, match=f"SETTING_INVALID.*HEADSHOTS_MARKING_{name}"):
        MarkingSettings.from_environment(environ)


def manifest_says(file: bytes, media_type: str) -> dict[str, Any]:
    with c2pa.Reader(media_type, io.BytesIO(file)) as reader:
        report = json.loads(reader.json())
    assertions = report["manifests"][report["active_manifest"]]["assertions"]
    (found,) = (each["data"] for each in assertions if each["label"] == "cawg.metadata")
    assert isinstance(found, dict)
    return found


def test_the_manifest_says_the_same_and_prompts_only_on_wish(tmp_path: Path) -> None:
    signer = MarkingSettings(tmp_path / "marking").open_signer()
    assert signer is not None
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "PNG")
    rights = Rights(HOSTILE[0], HOSTILE[1], HOSTILE[2])
    wishing = replace(DESCRIPTION, rights=rights, prompts="a man\x01")
    said = manifest_says(signer.sign(file.getvalue(), "image/png", wishing), "image/png")
    del said["@context"]
    assert said == {
        "xmpRights:Owner": [HOSTILE[0]],
        "xmpRights:UsageTerms": HOSTILE[1],
        "plus:TermsAndConditionsText": HOSTILE[2],
        "Iptc4xmpExt:AIPromptInformation": "a man\x01",
    }
    other = replace(DESCRIPTION, rights=Rights(licence="https://example.com/"))
    said = manifest_says(signer.sign(file.getvalue(), "image/png", other), "image/png")
    assert said["xmpRights:WebStatement"] == "https://example.com/"
    assert "plus:TermsAndConditionsText" not in said
    assert "Iptc4xmpExt:AIPromptInformation" not in said
