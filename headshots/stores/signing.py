"""Signs links to the objects of cloud stores, and stores with the objects what browsers need to know of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import obstore
from obstore.store import AzureStore, GCSStore, LocalStore, ObjectStore, S3Store

if TYPE_CHECKING:
    from obstore import Attributes

_SIGNING = (S3Store, GCSStore, AzureStore)
_CONTENT_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp"}


def can_sign(store: ObjectStore) -> bool:
    """Whether the store can sign links."""
    return isinstance(store, _SIGNING)


def signed_urls(store: ObjectStore, keys: Sequence[str], valid_seconds: int) -> list[str]:
    """URLs for GET, in the order of the keys. The store must be one that `can_sign`."""
    assert isinstance(store, _SIGNING)
    return list(obstore.sign(store, "GET", list(keys), timedelta(seconds=valid_seconds)))


def stored_attributes(store: ObjectStore, key: str) -> Attributes | None:
    """The content type of an image, by its key's suffix, where the store keeps such: a signed link answers with it."""
    content_type = _CONTENT_TYPES.get(PurePosixPath(key).suffix)
    if content_type is None or isinstance(store, LocalStore):
        return None
    return {"Content-Type": content_type}
