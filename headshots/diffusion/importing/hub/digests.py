"""Holds files of the hub's cache to the digests that the hub tells."""

from __future__ import annotations

import hashlib
from pathlib import Path

from headshots.diffusion.importing.hub.repository import Pinned
from headshots.errors import FailedPreconditionError

_CHUNK_BYTES = 8 << 20
_SHA256_DIGITS, _SHA1_DIGITS = 64, 40


def is_digest(told: str) -> bool:
    """Whether a file can be held to it: SHA-256, or the SHA-1 of git's blob; a mirror may tell anything else."""
    return len(told) in (_SHA256_DIGITS, _SHA1_DIGITS)


def check_digest(path: Path, told: str, pinned: Pinned) -> None:
    """Hold a file to its digest, where it is one; what has another is removed, so that it is fetched again.

    Raises:
        FailedPreconditionError: FOUNDATION_DIGEST_WRONG.
    """
    if not is_digest(told):
        return
    if len(told) == _SHA256_DIGITS:
        read = hashlib.sha256()
    else:
        read = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            read.update(chunk)
    if read.hexdigest() != told:
        path.resolve().unlink()
        path.unlink(missing_ok=True)
        raise FailedPreconditionError(
            "FOUNDATION_DIGEST_WRONG",
            f"{path.name} of {pinned.name} came with the digest {read.hexdigest()}, and {pinned.hub.url} tells {told}: "
            "it was removed; try again to fetch it anew",
        )
