"""Commits to stored objects, and sums commitments up in one root.

A commitment is SHA-256 over `headshots/commitment/1` and the store class, each followed by a zero byte, then 32 random
bytes (the salt) and the 32 bytes of the content's SHA-256. Without the salt it tells nothing of the content; when the
salt is destroyed nobody can tell what it was made of.

The root is that of RFC 6962, section 2.1, over the commitments of a class in the order of their bytes: a leaf is
SHA-256(0x00, commitment), a node SHA-256(0x01, left, right), and the left side has the largest power of two of leaves
that leaves one for the right.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

SALT_BYTES = 32


def commitment(store_class: str, salt: bytes, content_sha256: str) -> str:
    """The commitment to an object of a class, in hex. `salt`: SALT_BYTES random bytes; `content_sha256`: in hex."""
    assert len(salt) == SALT_BYTES
    assert "\0" not in store_class
    words = b"headshots/commitment/1\0" + store_class.encode("ascii") + b"\0"
    return hashlib.sha256(words + salt + bytes.fromhex(content_sha256)).hexdigest()


def root(commitments: Iterable[str]) -> str:
    """The Merkle root of commitments, which are in hex and come in any order; in hex. Of none: SHA-256 of nothing."""
    leaves = [hashlib.sha256(b"\0" + each).digest() for each in sorted(map(bytes.fromhex, commitments))]
    return _root(leaves).hex()


def _root(leaves: Sequence[bytes]) -> bytes:
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    left = 1 << ((len(leaves) - 1).bit_length() - 1)
    return hashlib.sha256(b"\1" + _root(leaves[:left]) + _root(leaves[left:])).digest()
