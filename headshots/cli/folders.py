"""Refuses URLs that lead to folders that are missing: what would be made there is not what was meant."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit


def refuse_missing(url: str, variable: str, *, to_be_read: bool = False) -> None:
    """Return where the folder of an SQLite database or of a store of files is there. Other URLs are not looked at.

    ``variable``: what names the gateway's, for the error. ``to_be_read``: a database's file has to be there too.

    Raises:
        InvalidArgumentError: DATABASE_URL_INVALID, STORE_URL_INVALID.
    """
    from headshots.errors import InvalidArgumentError

    what = "folder"
    if url.startswith("sqlite:"):
        from sqlalchemy.engine import make_url

        place = Path(make_url(url).database or ".").absolute()
        reason = "DATABASE_URL_INVALID"
        if to_be_read:
            what = "file"
        else:
            place = place.parent
    elif url.startswith("file:"):
        place = Path(unquote(urlsplit(url).path))
        reason = "STORE_URL_INVALID"
    else:
        return
    if not (place.is_file() if what == "file" else place.is_dir()):
        raise InvalidArgumentError(
            reason, f"{url}: there is no {what} {place}; name what the gateway uses ({variable})"
        )
