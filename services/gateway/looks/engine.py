"""Creates, changes and finds looks for the servicer; blocking work runs in threads."""

from __future__ import annotations

from sqlalchemy.engine import Engine

from headshots.looks.look import Look
from headshots.styles.library import StyleLibrary
from headshots.threads import in_read_thread, in_write_thread
from services.gateway.api.labels import Labelling
from services.gateway.api.requests import IdempotencyKey
from services.gateway.looks import rows
from services.gateway.looks.models import ListedLook, LookChange


class LookEngine:
    """One method an RPC. Tenants see their own looks: everything else is NotFoundError."""

    def __init__(self, database: Engine, styles: StyleLibrary) -> None:
        self._database = database
        self._styles = styles

    async def create(
        self, tenant: str, look: Look, labelling: Labelling, *, key: IdempotencyKey, validate_only: bool
    ) -> ListedLook:
        """See `rows.create_look`."""
        kept = self._database, self._styles, tenant, look, labelling
        return await in_write_thread(rows.create_look, *kept, key=key, validate_only=validate_only)

    async def update(self, tenant: str, name: str, change: LookChange, *, validate_only: bool) -> ListedLook:
        """See `rows.update_look`."""
        kept = self._database, self._styles, tenant, name, change
        return await in_write_thread(rows.update_look, *kept, validate_only=validate_only)

    async def archive(self, tenant: str, name: str) -> ListedLook:
        """See `rows.archive_look`."""
        return await in_write_thread(rows.archive_look, self._database, tenant, name)

    async def get(self, tenant: str, name: str, version: int) -> ListedLook:
        """See `rows.find_look`."""
        return await in_read_thread(rows.get_look, self._database, tenant, name, version)

    async def list_after(
        self, tenant: str, wanted: Labelling, after: str, size: int, *, archived: bool
    ) -> list[ListedLook]:
        """See `rows.list_looks`."""
        return await in_read_thread(
            rows.list_looks, self._database, tenant, wanted=wanted, after=after, size=size, archived=archived
        )
