"""Makes the URLs of links: served by the gateways, or signed by the object store."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

from headshots.artifacts import ArtifactStore
from services.gateway.links.models import LinkedFile
from services.gateway.links.tokens import LinkTokens

PATH = "/images/"
"""What a served link has between the URL of the gateways and its token."""


class LinkMaker(Protocol):
    """Makes links to objects of the store."""

    async def make(self, files: Sequence[LinkedFile], *, now: float, valid_seconds: int) -> tuple[list[str], float]:
        """The URLs, in the order of the files, and when they expire, in seconds since the epoch."""
        ...


class ServedLinks:
    """Links that any gateway of the installation serves; see `LinkServer`."""

    def __init__(self, url: str, tokens: LinkTokens) -> None:
        """``url``: what leads clients to the gateways' links port, without a slash at its end."""
        self._url = url
        self._tokens = tokens

    async def make(self, files: Sequence[LinkedFile], *, now: float, valid_seconds: int) -> tuple[list[str], float]:
        """See `LinkMaker.make`."""
        expires_at = math.ceil(now) + valid_seconds
        return [f"{self._url}{PATH}{self._tokens.sign(file, expires_at)}" for file in files], expires_at


class StoreLinks:
    """Links that the object store signs and serves; it knows the content type that the object was stored with."""

    def __init__(self, store: ArtifactStore) -> None:
        self._store = store

    async def make(self, files: Sequence[LinkedFile], *, now: float, valid_seconds: int) -> tuple[list[str], float]:
        """See `LinkMaker.make`.

        Raises:
            UnavailableError: OBJECT_STORE_UNAVAILABLE, as without credentials that can sign.
        """
        urls = await self._store.sign([file.key for file in files], valid_seconds)
        return urls, now + valid_seconds
