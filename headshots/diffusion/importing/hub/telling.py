"""Turns what ``huggingface_hub`` raises into typed errors that tell the cure."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from huggingface_hub import constants, errors

from headshots.diffusion.foundations.names import HubName
from headshots.errors import (
    FailedPreconditionError,
    HeadshotsError,
    NotFoundError,
    PermissionDeniedError,
    UnavailableError,
)

# httpx' own root, whichever of its versions the library brings.
_HTTP_ERROR: type[Exception] = errors.HTTPError  # type: ignore[attr-defined]
# What the library raises where an answer lacks what it takes for granted.
_ODD_ANSWERS = (AssertionError, AttributeError, KeyError, TypeError)
_TOKEN = "set HF_TOKEN to a token of an account that may read it, or `hf auth login`"
_AGAIN = "try again: files that are whole in the cache are not fetched again"


@contextmanager
def telling(name: HubName, endpoint: str) -> Iterator[None]:
    """Raise what goes wrong with ``name`` at a hub as an error of ours.

    Raises:
        NotFoundError: HUB_REPOSITORY_NOT_FOUND, HUB_REVISION_NOT_FOUND, HUB_FILE_NOT_FOUND.
        PermissionDeniedError: HUB_ACCESS_DENIED.
        FailedPreconditionError: HUB_OFFLINE, FOUNDATION_NO_ROOM.
        UnavailableError: HUB_UNAVAILABLE.
    """
    try:
        yield
    except HeadshotsError:
        raise
    except errors.GatedRepoError as error:
        raise PermissionDeniedError(
            "HUB_ACCESS_DENIED",
            f"{name}: its owner has terms that you accept first, at {endpoint}/{name.repository}; then {_TOKEN}",
        ) from error
    except errors.RevisionNotFoundError as error:
        raise NotFoundError(
            "HUB_REVISION_NOT_FOUND",
            f"{endpoint}/{name.repository} has no revision {name.revision!r}: name a branch, a tag or a whole commit "
            "after @, or nothing for the default branch",
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise NotFoundError(
            "HUB_REPOSITORY_NOT_FOUND",
            f"there is no folder or file {name} here, and {endpoint} shows no repository {name.repository}: correct "
            f"the name; where it is a private one, {_TOKEN}",
        ) from error
    except errors.RemoteEntryNotFoundError as error:
        raise no_file(name, endpoint) from error
    except errors.HfHubHTTPError as error:
        raise _refused(name, endpoint, error) from error
    except _ODD_ANSWERS as error:
        raise _no_hub(name, endpoint, f"with nonsense ({type(error).__name__}: {error})") from error
    except (_HTTP_ERROR, errors.OfflineModeIsEnabled, errors.RevisionResolutionError, OSError, ValueError) as error:
        raise _unreachable(name, endpoint, error) from error


def no_file(name: HubName, endpoint: str) -> NotFoundError:
    """HUB_FILE_NOT_FOUND."""
    return NotFoundError(
        "HUB_FILE_NOT_FOUND",
        f"{endpoint}/{name.repository} has no file {name.file} at {name.revision}: "
        f"{endpoint}/{name.repository}/tree/{name.revision} lists those that it has",
    )


def is_away(error: HeadshotsError) -> bool:
    """Whether nobody could be asked, so that what is cached has to do."""
    return error.reason in ("HUB_OFFLINE", "HUB_UNAVAILABLE")


def _refused(name: HubName, endpoint: str, error: errors.HfHubHTTPError) -> HeadshotsError:
    status = error.response.status_code
    if status in (401, 403):
        return PermissionDeniedError("HUB_ACCESS_DENIED", f"{endpoint} refuses {name} ({status}): {_TOKEN}")
    if status == 429 or status >= 500:
        return UnavailableError("HUB_UNAVAILABLE", f"{endpoint} answers {status} when asked for {name}; {_AGAIN}")
    return _no_hub(name, endpoint, str(status))


def _no_hub(name: HubName, endpoint: str, what: str) -> UnavailableError:
    return UnavailableError(
        "HUB_UNAVAILABLE",
        f"{endpoint} answers {what} when asked for {name}, as no hub does; HF_ENDPOINT names the hub",
    )


def _unreachable(name: HubName, endpoint: str, error: Exception) -> HeadshotsError:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return FailedPreconditionError(
            "FOUNDATION_NO_ROOM",
            f"the disk of {constants.HF_HUB_CACHE} is full. Make room, or name another cache with HF_HUB_CACHE, and "
            f"{_AGAIN}",
        )
    if constants.is_offline_mode():
        return FailedPreconditionError(
            "HUB_OFFLINE",
            f"there is no folder or file {name} here, and HF_HUB_OFFLINE is set: the cache {constants.HF_HUB_CACHE} "
            "has not all of it. Unset HF_HUB_OFFLINE, or fill the cache where there is a network",
        )
    first = str(error).strip().partition("\n")[0]
    return UnavailableError(
        "HUB_UNAVAILABLE",
        f"there is no folder or file {name} here, and {endpoint} did not give it ({first}); see to the network and "
        f"{_AGAIN}",
    )
