"""Creates, changes, finds and previews styles for the servicer; blocking work runs in threads."""

from __future__ import annotations

from typing import Any

from sqlalchemy.engine import Engine

from headshots.database import read
from headshots.errors import FieldViolation, InvalidArgumentError
from headshots.styles.library import StyleLibrary
from headshots.styles.recipe import Style, find_faults
from headshots.threads import in_read_thread, in_write_thread
from services.gateway.api.labels import Labelling
from services.gateway.api.names import style_name
from services.gateway.api.requests import IdempotencyKey
from services.gateway.styles import rows
from services.gateway.styles.checks import Sitter, StyleChecks, StyleReading
from services.gateway.styles.models import ListedStyle, StyleChange
from services.gateway.tenants.ownership import find_subject
from services.gateway.trainings.rows import newest_adapter

# Fields of a style that the caller's request has outside of its recipe.
_OUTSIDE = {"name": "style_id", "display_name": "display_name", "description": "description"}


class StyleEngine:
    """One method an RPC. Tenants see the built-in styles and their own: everything else is NotFoundError."""

    def __init__(self, database: Engine, library: StyleLibrary, checks: StyleChecks) -> None:
        self._database = database
        self._library = library
        self._checks = checks

    async def create(
        self, tenant: str, style: Style, labelling: Labelling, *, key: IdempotencyKey, validate_only: bool
    ) -> ListedStyle:
        """Raises as `rows.create_style` and `StyleChecks.check`, and InvalidArgumentError STYLE_INVALID."""
        made = await in_read_thread(rows.made_style, self._database, tenant, key)
        if made is not None:
            return made
        await self._check(tenant, style)
        return await in_write_thread(
            rows.create_style,
            self._database,
            self._library,
            tenant,
            style,
            labelling,
            key=key,
            validate_only=validate_only,
        )

    async def update(self, tenant: str, name: str, change: StyleChange, *, validate_only: bool) -> ListedStyle:
        """Raises as `get` and `StyleChecks.check`; FailedPreconditionError STYLE_BUILT_IN, STYLE_ARCHIVED."""
        while True:
            newest = await self.get(tenant, name, 0)
            rows.check_own(newest)
            rows.check_usable(newest)
            changed = change.applied_to(newest.style)
            if changed == newest.style:
                return newest
            await self._check(tenant, changed)
            if validate_only:
                return ListedStyle(changed, built_in=False, labelling=newest.labelling)
            made = await in_write_thread(rows.add_version, self._database, tenant, changed)
            if made is not None:
                return made

    async def archive(self, tenant: str, name: str) -> ListedStyle:
        """See `rows.archive_style`."""
        return await in_write_thread(rows.archive_style, self._database, self._library, tenant, name)

    async def get(self, tenant: str, name: str, version: int) -> ListedStyle:
        """See `rows.find_style`."""
        return await in_read_thread(rows.get_style, self._database, self._library, tenant, name, version)

    async def list_after(
        self, tenant: str, wanted: Labelling, after: str, size: int, *, archived: bool
    ) -> list[ListedStyle]:
        """See `rows.list_styles`."""
        how: dict[str, Any] = {"wanted": wanted, "after": after, "size": size, "archived": archived}
        return await in_read_thread(rows.list_styles, self._database, self._library, tenant, **how)

    async def preview(self, tenant: str, name: str, version: int, subject_id: str, class_noun: str) -> StyleReading:
        """What a generator makes of a style, for a subject or without one.

        Raises:
            NotFoundError: STYLE_NOT_FOUND, STYLE_VERSION_NOT_FOUND, SUBJECT_NOT_FOUND.
            InvalidArgumentError, UnavailableError: see `StyleChecks.read`.
        """
        sitter = Sitter(tenant, class_noun)
        if subject_id:
            sitter = await in_read_thread(_sitter, self._database, tenant, subject_id)
        return await self._checks.read((await self.get(tenant, name, version)).style, sitter)

    async def _check(self, tenant: str, style: Style) -> None:
        faults = list(find_faults(style))
        if faults:
            told = "; ".join(f"{fault.field} {fault.description}" for fault in faults)
            violations = [
                FieldViolation(_OUTSIDE.get(each.field, f"recipe.{each.field}"), each.description) for each in faults
            ]
            raise InvalidArgumentError("STYLE_INVALID", f"{style_name(style.name)}: {told}", violations=violations)
        await self._checks.check(style, Sitter(tenant), field="recipe")


def _sitter(engine: Engine, tenant: str, subject_id: str) -> Sitter:
    with read(engine) as connection:
        subject = find_subject(connection, tenant, subject_id)
        return Sitter(tenant, subject.class_noun, newest_adapter(connection, subject_id))
