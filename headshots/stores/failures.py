"""Turns the backends' errors into ours."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from obstore.exceptions import BaseError as ObjectStoreError
from obstore.exceptions import NotFoundError as ObjectMissingError

from headshots.errors import InvalidArgumentError, UnavailableError

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
