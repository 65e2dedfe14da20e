"""Keeps the secret that grants are signed with: a file that every service of a deployment reads.

A line of it is 64 hexadecimal digits, 32 random bytes. The first line signs, every line verifies: to change the secret,
put the new one below, wait until every service has read the file (at its next call), swap the two, then drop the old.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from headshots.errors import InvalidArgumentError
from headshots.rpc.internal.reloading import Reloaded
from headshots.settings import make_private

_BYTES = 32
_LINES = 2


class Secret:
    """The secret of a deployment, as its file holds it now."""

    def __init__(self, file: Path) -> None:
        """Read ``file``; where there is none it is made, for its owner only.

        Raises:
            InvalidArgumentError: INTERNAL_KEY_INVALID, naming the file and the cure.
        """
        _make(file)
        self._lines = Reloaded("the secret of internal calls", [file], lambda: _read(file))

    @property
    def signing(self) -> bytes:
        """The bytes that sign."""
        return self._lines.current()[0]

    @property
    def verifying(self) -> tuple[bytes, ...]:
        """All that a signature may be made with."""
        return self._lines.current()


def _make(file: Path) -> None:
    """Make the file unless it is there. Of services that start at once one makes it, and all read the same."""
    if file.exists():
        return
    fresh = file.with_name(f"{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        make_private(file.parent)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as out:
            out.write(secrets.token_hex(_BYTES) + "\n")
        # Whole or not at all, and never in place of another service's.
        with contextlib.suppress(FileExistsError):
            os.link(fresh, file)
    except OSError as error:
        raise _invalid(file, f"cannot be made: {error.strerror}") from error
    finally:
        # Whatever kept it from being made has been told.
        with contextlib.suppress(OSError):
            fresh.unlink()


def _read(file: Path) -> tuple[bytes, ...]:
    try:
        lines = file.read_text("ascii").split()
        found = tuple(bytes.fromhex(line) for line in lines)
    except OSError as error:
        raise _invalid(file, f"cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise _invalid(file, "is not hexadecimal") from error
    if not 1 <= len(found) <= _LINES or any(len(line) != _BYTES for line in found):
        raise _invalid(file, f"does not have one or two lines of {2 * _BYTES} digits")
    return found


def _invalid(file: Path, what: str) -> InvalidArgumentError:
    return InvalidArgumentError(
        "INTERNAL_KEY_INVALID",
        f"{file} {what}; it holds the secret of internal calls (HEADSHOTS_INTERNAL_KEY_FILE): write the output of "
        "`openssl rand -hex 32` into it, the same for gateway, trainer and generator",
    )
