"""Refuses URLs that lead to folders that are missing: what would be made there is not what was meant."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit


def refuse_missing(url: str, variable: str) -> None:
    """Return where the folder of an SQLite database or of a store of files is there. Other URLs are not looked at.

    ``variable``: what names the gateway's, for the error.

    Raises:
        InvalidArgumentError: DATABASE_URL_INVALID, STORE_URL_INVALID.
    """
    from headshots.errors import InvalidArgumentError

    if url.startswith("sqlite:"):
        from sqlalchemy.engine import make_url

        folder = Path(make_url(url).database or ".").absolute().parent
        reason = "DATABASE_URL_INVALID"
    elif url.startswith("file:"):
        folder = Path(unquote(urlsplit(url).path))
        reason = "STORE_URL_INVALID"
    else:
        return
    if not folder.is_dir():
        raise InvalidArgumentError(
            reason, f"{url}: there is no folder {folder}; name what the gateway uses ({variable})"
        )
