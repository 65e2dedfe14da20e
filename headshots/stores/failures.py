"""Turns the backends' errors into ours, and makes those of objects that are missing or not what was promised."""

from __future__ import annotations

import contextlib
import hashlib
import logging
from collections.abc import Iterator

from obstore.exceptions import BaseError as ObjectStoreError
from obstore.exceptions import NotFoundError as ObjectMissingError

from headshots.errors import FailedPreconditionError, InvalidArgumentError, NotFoundError, UnavailableError

_LOG = logging.getLogger(__name__)
# How a full disk, a used-up quota and a file beyond the process's limit show: obstore has no class for them.
_FULL = ("(os error 28)", "(os error 122)", "(os error 27)")
MISSING = (ObjectMissingError, FileNotFoundError)


@contextlib.contextmanager
def translated(key: str) -> Iterator[None]:
    """The backend's errors as ours, but for missing objects (`MISSING`), which mean something else to each caller.

    Raises:
        UnavailableError: OBJECT_STORE_FULL, OBJECT_STORE_UNAVAILABLE.
        InvalidArgumentError: KEY_INVALID.
    """
    try:
        yield
    except MISSING:
        raise
    except ObjectStoreError as error:
        # Endpoints, buckets and paths are for the log: the message goes to callers.
        _LOG.warning("the object store failed on %s: %s", key, error)
        if any(sign in str(error) for sign in _FULL):
            raise UnavailableError(
                "OBJECT_STORE_FULL",
                "the object store has no room left; make some, then try again",
                metadata={"key": key},
            ) from error
        raise UnavailableError(
            "OBJECT_STORE_UNAVAILABLE",
            "the object store does not answer as it should; try again, and if it stays so see the service's log",
            metadata={"key": key},
        ) from error
    except (TypeError, ValueError) as error:
        # A TypeError is how obstore's delete puts it.
        raise InvalidArgumentError(
            "KEY_INVALID",
            f"{key!r}: a key is names with single slashes between them, none of them . or .., and ends in no #1",
        ) from error


def missing(key: str) -> NotFoundError:
    """The error of a key that holds nothing."""
    return NotFoundError("OBJECT_NOT_FOUND", f"the object store has no {key}", metadata={"key": key})


def check_digest(key: str, data: bytes, sha256: str) -> None:
    """Hold what lies under ``key`` against the SHA-256 (hex) that was promised.

    Raises:
        FailedPreconditionError: OBJECT_DIGEST_MISMATCH.
    """
    if hashlib.sha256(data).hexdigest() != sha256:
        raise FailedPreconditionError(
            "OBJECT_DIGEST_MISMATCH",
            # Who guesses a digest must not learn the right one.
            f"what lies under {key} does not have the SHA-256 that was promised, {sha256[:12]}…",
            metadata={"key": key},
        )
