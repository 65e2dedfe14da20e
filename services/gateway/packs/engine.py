"""Creates, changes and finds packs for the servicer; blocking work runs in threads."""

from __future__ import annotations

from typing import Any

from sqlalchemy.engine import Engine

from headshots.styles.library import StyleLibrary
from headshots.styles.packs import Pack, PackLibrary
from headshots.threads import in_read_thread, in_write_thread
from services.gateway.api.labels import Labelling
from services.gateway.api.requests import IdempotencyKey
from services.gateway.packs import rows
from services.gateway.packs.models import ListedPack, PackChange


class PackEngine:
    """One method an RPC. Tenants see the built-in packs and their own: everything else is NotFoundError."""

    def __init__(self, database: Engine, styles: StyleLibrary, library: PackLibrary) -> None:
        self._database = database
        self._styles = styles
        self._library = library

    async def create(
        self, tenant: str, pack: Pack, labelling: Labelling, *, key: IdempotencyKey, validate_only: bool
    ) -> ListedPack:
        """See `rows.create_pack`."""
        kept = self._database, self._styles, self._library
        return await in_write_thread(
            rows.create_pack, *kept, tenant, pack, labelling, key=key, validate_only=validate_only
        )

    async def update(self, tenant: str, name: str, change: PackChange, *, validate_only: bool) -> ListedPack:
        """See `rows.update_pack`."""
        kept = self._database, self._styles, self._library
        return await in_write_thread(rows.update_pack, *kept, tenant, name, change, validate_only=validate_only)

    async def archive(self, tenant: str, name: str) -> ListedPack:
        """See `rows.archive_pack`."""
        return await in_write_thread(rows.archive_pack, self._database, self._library, tenant, name)

    async def get(self, tenant: str, name: str, version: int) -> ListedPack:
        """See `rows.find_pack`."""
        return await in_read_thread(rows.get_pack, self._database, self._library, tenant, name, version)

    async def list_after(
        self, tenant: str, wanted: Labelling, after: str, size: int, *, archived: bool
    ) -> list[ListedPack]:
        """See `rows.list_packs`."""
        how: dict[str, Any] = {"wanted": wanted, "after": after, "size": size, "archived": archived}
        return await in_read_thread(rows.list_packs, self._database, self._library, tenant, **how)
