"""What images say of rights: whose they are, and what may be done with them."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from dataclasses import asdict, dataclass

OWNER = "The person shown"
USAGE_TERMS = "The person shown owns this image and may use it for any purpose, commercial ones included."
MAX_OWNER_CHARACTERS = 256
MAX_TEXT_CHARACTERS = 1024
"""Of usage terms and of a licence."""
_URL = re.compile(r"https?://[^\s<>\"{}|\\^`]+", re.IGNORECASE)
# Controls, halves of surrogate pairs, separators of lines and paragraphs.
_REFUSED_CATEGORIES = ("Cc", "Cs", "Zl", "Zp")
# They change the order in which what follows is shown, so that it reads as something else.
_REORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True)
class Rights:
    """Whose an image is, and what may be done with it.

    ``licence``: the address of a web page or a text, empty for none; ``with_prompts``: whether the prompts stand in the
    image.
    """

    owner: str = OWNER
    usage_terms: str = USAGE_TERMS
    licence: str = ""
    with_prompts: bool = False

    @property
    def licence_url(self) -> str:
        """The licence where it is the address of a web page, else empty."""
        return self.licence if _URL.fullmatch(self.licence) else ""

    @property
    def licence_text(self) -> str:
        """The licence where it is a text, else empty."""
        return "" if self.licence_url else self.licence


@dataclass(frozen=True)
class TenantRights:
    """What a tenant says of rights; None: what the installation says. An empty ``licence``: none."""

    owner: str | None = None
    usage_terms: str | None = None
    licence: str | None = None
    with_prompts: bool = False

    @property
    def digest(self) -> str:
        """SHA-256 of what they say, 64 hex digits."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    def over(self, installation: Rights) -> Rights:
        """What an image says."""
        return Rights(
            installation.owner if self.owner is None else self.owner,
            installation.usage_terms if self.usage_terms is None else self.usage_terms,
            installation.licence if self.licence is None else self.licence,
            self.with_prompts,
        )


def fault_of(text: str, max_characters: int, *, may_be_empty: bool = False) -> str:
    """Why no image can say ``text``, with the cure; empty where it can."""
    if len(text) > max_characters:
        return f"{len(text)} characters; say it in {max_characters}"
    if not text.strip() and (text or not may_be_empty):
        return "blank; say something, or leave it out"
    refused = next((each for each in text if _is_refused(each)), None)
    return f"has the control character U+{ord(refused):04X}; take it out, line breaks too" if refused else ""


def _is_refused(character: str) -> bool:
    # XML has no way to write the last two of a plane.
    is_no_character = ord(character) & 0xFFFE == 0xFFFE
    return is_no_character or character in _REORDERING or unicodedata.category(character) in _REFUSED_CATEGORIES
