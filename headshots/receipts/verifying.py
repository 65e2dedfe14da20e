"""Verifies receipts anywhere: canonical form, shape, signature, and the chain between those that are given.

A signature tells that the holder of the key said so. Which key that is the reader has to know: keep the installation's
public keys from a time when you trusted it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from headshots.receipts.canonical import canonical, parsed
from headshots.receipts.signing import key_id

FORMAT = "headshots/erasure-receipt/1"
"""What every receipt names as its format."""
FIRST = "0" * 64
"""What a tenant's first receipt follows."""
_KINDS: dict[str, type | tuple[type, ...]] = {
    "format": str,
    "erasure": str,
    "tenant": str,
    "subject": (str, type(None)),
    "trigger": str,
    "policy": dict,
    "requested_at": str,
    "erased_at": str,
    "signed_at": str,
    "classes": list,
    "uncommitted": list,
    "verified": dict,
    "replicas": dict,
    "backups": dict,
    "exceptions": list,
    "number": int,
    "previous": str,
    "key": str,
    "signature": str,
}


@dataclass(frozen=True)
class Checked:
    """A receipt that was looked at."""

    source: str
    """Where it came from, as a file's name."""
    document: dict[str, Any] | None
    """What it says; None where that cannot be read."""
    sha256: str
    faults: tuple[str, ...]
    """What is wrong with it by itself, a sentence each."""


@dataclass(frozen=True)
class Verification:
    """What receipts are found to be."""

    receipts: tuple[Checked, ...]
    chain_faults: tuple[str, ...]
    """What is wrong between them."""

    @property
    def is_whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.chain_faults and not any(each.faults for each in self.receipts)


def read_public_keys(data: bytes) -> list[Ed25519PublicKey]:
    """The Ed25519 public keys in a PEM file, one or several.

    Raises:
        ValueError: it has none, or something else.
    """
    end = b"-----END PUBLIC KEY-----"
    blocks = [block + end for block in data.split(end)[:-1]]
    if not blocks:
        raise ValueError("it holds no public key in PEM")
    keys = []
    for block in blocks:
        try:
            key = load_pem_public_key(block.strip())
        except UnsupportedAlgorithm as error:
            raise ValueError("it holds a key of another kind than Ed25519") from error
        if not isinstance(key, Ed25519PublicKey):
            raise ValueError("it holds a key of another kind than Ed25519")
        keys.append(key)
    return keys


def verify(files: Mapping[str, bytes], keys: Sequence[Ed25519PublicKey]) -> Verification:
    """Checks each file by itself, and those that are sound as links of their tenants' chains."""
    by_id = {key_id(key): key for key in keys}
    receipts = tuple(_checked(source, data, by_id) for source, data in files.items())
    sound = [each for each in receipts if not each.faults]
    return Verification(receipts, tuple(_chain_faults(sound)))


def _checked(source: str, data: bytes, keys: Mapping[str, Ed25519PublicKey]) -> Checked:
    # A file that was saved as text ends with a line's end.
    body = data.removesuffix(b"\n").removesuffix(b"\r")
    sha256 = hashlib.sha256(body).hexdigest()
    try:
        document = parsed(body)
    except ValueError as error:
        return Checked(source, None, sha256, (f"it is no receipt: {error}",))
    faults = list(_shape_faults(document)) or list(_signature_faults(document, keys))
    return Checked(source, document, sha256, tuple(faults))


def _shape_faults(document: dict[str, Any]) -> Iterator[str]:
    if document.get("format") != FORMAT:
        yield f"it is no receipt of the format {FORMAT}"
        return
    for name, kind in _KINDS.items():
        # True is an int to Python.
        if not isinstance(document.get(name, ...), kind) or isinstance(document.get(name), bool):
            yield f"it does not say `{name}` as a receipt does"
    for name in sorted(document.keys() - _KINDS.keys()):
        yield f"it says `{name}`, which no receipt does"


def _signature_faults(document: dict[str, Any], keys: Mapping[str, Ed25519PublicKey]) -> Iterator[str]:
    key = keys.get(document["key"])
    if key is None:
        yield f"it is signed with key {document['key']}, which is none of those given"
        return
    signed = canonical({name: value for name, value in document.items() if name != "signature"})
    try:
        signature = base64.b64decode(document["signature"], validate=True)
        # Base64 has several ways to write the same bytes, of which a receipt has one.
        if base64.b64encode(signature).decode("ascii") != document["signature"]:
            raise InvalidSignature
        key.verify(signature, signed)
    except (InvalidSignature, binascii.Error):
        yield "its signature is not of what it says: it was changed after it was signed, or signed with another key"


def _chain_faults(receipts: Sequence[Checked]) -> Iterator[str]:
    chains: dict[str, list[Checked]] = {}
    for each in receipts:
        assert each.document is not None
        chains.setdefault(each.document["tenant"], []).append(each)
    for tenant, links in sorted(chains.items()):
        yield from (f"{tenant}: {fault}" for fault in _faults_of_one(links))


def _faults_of_one(links: Sequence[Checked]) -> Iterator[str]:
    ordered = sorted(links, key=_number)
    if _number(ordered[0]) < 1:
        yield f"{ordered[0].source} has the number {_number(ordered[0])}; they begin with 1"
    if _number(ordered[0]) == 1 and _previous(ordered[0]) != FIRST:
        yield f"{ordered[0].source} has the number 1 and follows another receipt"
    for before, after in itertools.pairwise(ordered):
        gap = _number(after) - _number(before) - 1
        if gap < 0:
            if before.sha256 != after.sha256:
                yield f"{before.source} and {after.source} are different receipts of the number {_number(after)}"
        elif gap:
            first, last = _number(before) + 1, _number(after) - 1
            yield f"receipt {first} is missing" if gap == 1 else f"receipts {first} to {last} are missing"
        elif _previous(after) != before.sha256:
            yield f"{after.source} (number {_number(after)}) does not follow {before.source} (number {_number(before)})"
    yield from _erasures_told_twice(ordered)


def _erasures_told_twice(ordered: Sequence[Checked]) -> Iterator[str]:
    told: dict[str, Checked] = {}
    for each in ordered:
        assert each.document is not None
        other = told.setdefault(each.document["erasure"], each)
        if _number(other) != _number(each):
            yield f"{other.source} and {each.source} are different receipts of one erasure"


def _number(receipt: Checked) -> int:
    assert receipt.document is not None
    return int(receipt.document["number"])


def _previous(receipt: Checked) -> str:
    assert receipt.document is not None
    return str(receipt.document["previous"])
