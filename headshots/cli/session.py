"""Connects to the gateway with the address and the key of the command line."""

from __future__ import annotations

import os

from headshots.client import Headshots
from headshots.client.roots import read_roots
from headshots.console.output import note
from headshots.errors import HeadshotsError, UnauthenticatedError
from headshots.settings import Home


def connect(address: str, api_key: str | None, tls_ca: str | None) -> Headshots:
    """A client with the key given, or the one in the home of the embedded default.

    Raises:
        UnauthenticatedError: API_KEY_MISSING: neither is there.
        InvalidArgumentError: ADDRESS_INVALID, CERTIFICATES_INVALID, CERTIFICATES_MISSING.
        OSError: a file cannot be read.
    """
    key = api_key or read_home_key()
    return Headshots(address, key, root_certificates=read_roots(tls_ca), on_reconnect=_report_loss)


def _report_loss(error: HeadshotsError) -> None:
    note(f"the gateway went away ({error.message}); reconnecting …")


def read_home_key() -> str:
    """The key that the first start of the embedded gateway made.

    Raises:
        UnauthenticatedError: API_KEY_MISSING.
    """
    file = Home.from_environment(os.environ).api_key_file
    if not file.exists():
        raise UnauthenticatedError(
            "API_KEY_MISSING",
            f"no API key is given, and there is none in {file}; the first `headshots serve all` on this machine makes "
            "it (HEADSHOTS_HOME says where), and later `headshots keys create --save` does; for another gateway give "
            "--api-key or set HEADSHOTS_API_KEY",
        )
    return file.read_text().strip()
