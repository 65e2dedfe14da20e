"""What an upload refuses has one word in inspections: the SDK, the contract and the page agree."""

from __future__ import annotations

import re

from headshots.client import FINDING_OF_REFUSAL
from tests.support.paths import ROOT

PAGE = (ROOT / "docs" / "api.md").read_text("utf-8")
PROTO = (ROOT / "protos" / "headshots" / "v1" / "photos.proto").read_text("utf-8")


def test_every_refusal_of_an_upload_has_a_finding() -> None:
    (row,) = re.findall(r"^\| UploadPhotos \| [^|]* \| (.*) \|$", PAGE, re.MULTILINE)
    assert {reason for reason in row.split(", ") if reason.startswith("PHOTO_")} == {*FINDING_OF_REFUSAL}


def test_every_word_is_one_of_the_contract() -> None:
    comment = " ".join(
        PROTO.partition("message PhotoFinding {")[2].partition("string reason")[0].replace("//", "").split()
    )
    assert {*FINDING_OF_REFUSAL.values()} <= {*re.findall(r"[A-Z_]{4,}", comment)}


def test_the_page_has_the_same_table() -> None:
    section = PAGE.partition("## What an upload refuses, an inspection finds")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (PHOTO_[A-Z_, ]+) \| ([A-Z_]+)", section, re.MULTILINE)
    told = {reason: finding for reasons, finding in rows for reason in reasons.split(", ")}
    assert told == {**FINDING_OF_REFUSAL}


def test_what_the_decoders_raise_is_known() -> None:
    sources = [path.read_text("utf-8") for path in (ROOT / "headshots" / "imaging").rglob("*.py")]
    raised = {reason for text in sources for reason in re.findall(r'"(PHOTO_[A-Z_]+)"', text)}
    assert raised
    assert raised <= {*FINDING_OF_REFUSAL}
