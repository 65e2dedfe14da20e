"""Creates, changes and finds looks for the servicer; blocking work runs in threads."""

from __future__ import annotations

from sqlalchemy.engine import Engine

from headshots.errors import UnavailableError
from headshots.looks.fitting import Painted, fitted
from headshots.looks.frame import Frame
from headshots.looks.look import Look
from headshots.styles.library import StyleLibrary
from headshots.threads import in_read_thread, in_write_thread
from services.gateway.api.labels import Labelling
from services.gateway.api.requests import IdempotencyKey
from services.gateway.looks import rows
from services.gateway.looks.models import AskedFrame, ListedLook, LookChange
from services.gateway.peers.models import GeneratorDescription
from services.gateway.peers.pools.pools import Pools


class LookEngine:
    """One method an RPC. Tenants see their own looks: everything else is NotFoundError."""

    def __init__(self, database: Engine, styles: StyleLibrary, pools: Pools) -> None:
        self._database = database
        self._styles = styles
        self._pools = pools

    async def frame(self, asked: AskedFrame) -> Frame:
        """The frame with what is left out chosen for what the default foundation paints, as it is known now.

        Raises:
            UnavailableError: GENERATOR_UNREACHABLE, something is left out and the default foundation is not known.
        """
        size, told = (asked.width_px, asked.height_px), (asked.eye_line, asked.head_height)
        if None not in told:
            return fitted(*size, None, eye_line=asked.eye_line, head_height=asked.head_height)
        try:
            painted = _painted(await self._pools.describe())
        except UnavailableError as error:
            message = (
                "no generator has told yet what it paints, which the default frame follows: try again when one runs, "
                "or name the eye line and the head height"
            )
            raise UnavailableError(error.reason, message, retry_after_seconds=error.retry_after_seconds) from error
        return fitted(*size, painted, eye_line=asked.eye_line, head_height=asked.head_height)

    async def create(
        self, tenant: str, look: Look, labelling: Labelling, *, key: IdempotencyKey, validate_only: bool
    ) -> ListedLook:
        """See `rows.create_look`."""
        kept, painted = (self._database, self._styles, tenant, look, labelling), await self._painted()
        return await in_write_thread(rows.create_look, *kept, painted=painted, key=key, validate_only=validate_only)

    async def update(self, tenant: str, name: str, change: LookChange, *, validate_only: bool) -> ListedLook:
        """See `rows.update_look`."""
        kept, painted = (self._database, self._styles, tenant, name, change), await self._painted()
        return await in_write_thread(rows.update_look, *kept, painted=painted, validate_only=validate_only)

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

    async def _painted(self) -> list[Painted | None]:
        """What every foundation that is known usually paints, the default one first; None: it does not tell."""
        try:
            served = await self._pools.served()
        except UnavailableError:
            # Nothing is known that a frame could be held against; an order in the look asks the generator itself.
            return []
        return [_painted(each.description) for each in sorted(served, key=lambda each: not each.is_default)]


def _painted(told: GeneratorDescription) -> Painted | None:
    return Painted.told(told.head_height, told.eye_line, told.native_width_px, told.native_height_px)
