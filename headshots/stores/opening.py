"""Opens the backends of object stores by URL."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

from obstore.store import LocalStore, MemoryStore, ObjectStore, from_url

from headshots.errors import InvalidArgumentError
from headshots.settings import make_private

_CLOUD_SCHEMES = {"s3", "s3a", "gs", "az", "azure", "abfs", "abfss", "https"}


def open_backend(url: str, patience_seconds: float | None = None) -> ObjectStore:
    """The backend of a URL as `ArtifactStore.open` takes it; a missing folder is made.

    `patience_seconds`: for how long a cloud store is asked again that does not answer; None: as obstore has it, for
    minutes.

    Raises:
        InvalidArgumentError: STORE_URL_INVALID.
    """
    parts = urlsplit(url)
    if parts.scheme == "file":
        folder = Path(unquote(parts.path))
        make_private(folder)
        return LocalStore(folder)
    if parts.scheme == "memory":
        return MemoryStore()
    if parts.scheme not in _CLOUD_SCHEMES:
        raise InvalidArgumentError(
            "STORE_URL_INVALID",
            f"{url!r}: use file:///dir, s3://bucket/prefix, gs://bucket or az://container",
        )
    if patience_seconds is None:
        return from_url(url)
    # No options of the client beside it: they would take the place of those in the environment, as AWS_ALLOW_HTTP.
    return from_url(url, retry_config={"retry_timeout": timedelta(seconds=patience_seconds)})
