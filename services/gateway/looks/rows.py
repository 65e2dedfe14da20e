"""Keeps the tenants' looks, and finds them. Blocking SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from headshots.database import database_now, read, write
from headshots.errors import AlreadyExistsError, FailedPreconditionError, FieldViolation, NotFoundError
from headshots.looks.fitting import Painted
from headshots.looks.look import Look
from headshots.schema import looks
from headshots.styles.library import StyleLibrary
from services.gateway.api.errors import not_found
from services.gateway.api.labels import Labelling
from services.gateway.api.names import look_name
from services.gateway.api.requests import IdempotencyKey, find_made
from services.gateway.looks.checks import check_fits, check_look
from services.gateway.looks.models import ListedLook, LookChange
from services.gateway.tenants.rows import lock_tenant
from services.gateway.tenants.versions import archive, at_version, newest, newest_after


def find_look(connection: Connection, tenant_id: str, name: str, version: int = 0) -> ListedLook:
    """One look; `version` 0 is the newest.

    Raises:
        NotFoundError: LOOK_NOT_FOUND, LOOK_VERSION_NOT_FOUND.
    """
    row = connection.execute(newest(looks, tenant_id).where(looks.c.name == name)).first()
    if row is None:
        raise not_found("LOOK_NOT_FOUND", look_name(name), listed_by="ListLooks")
    if version in (0, row.version):
        return _to_listed(row)
    older = at_version(connection, looks, tenant_id, name, version)
    if older is None:
        raise NotFoundError(
            "LOOK_VERSION_NOT_FOUND",
            f"{look_name(name)} has no version {version} here; its newest is {row.version}",
            metadata={"name": look_name(name)},
        )
    return _to_listed(older)


def usable_look(connection: Connection, tenant_id: str, name: str, *, field: str) -> Look:
    """The newest version of a look that an order names; `field` is where in the caller's request.

    Raises:
        NotFoundError: LOOK_NOT_FOUND.
        FailedPreconditionError: LOOK_ARCHIVED.
    """
    found = find_look(connection, tenant_id, name)
    check_usable(found, field)
    return found.look


def get_look(engine: Engine, tenant_id: str, name: str, version: int) -> ListedLook:
    """See :func:`find_look`."""
    with read(engine) as connection:
        return find_look(connection, tenant_id, name, version)


def list_looks(
    engine: Engine, tenant_id: str, *, wanted: Labelling, after: str, size: int, archived: bool
) -> list[ListedLook]:
    """The first `size` looks that are labelled as wanted and whose names come after `after`, by name.

    `archived`: archived ones too.
    """
    with read(engine) as connection:
        in_use = [] if archived else [looks.c.archived_at.is_(None)]
        rows = newest_after(connection, looks, tenant_id, after, size, wanted.where(looks), *in_use)
        return [_to_listed(row) for row in rows]


def create_look(
    engine: Engine,
    styles: StyleLibrary,
    tenant_id: str,
    look: Look,
    labelling: Labelling,
    *,
    painted: Sequence[Painted | None],
    key: IdempotencyKey,
    validate_only: bool,
) -> ListedLook:
    """Keeps a new look; a repeated `key` returns the one that it created before; `validate_only` inserts nothing.

    `painted`: as for `check_fits`.

    Raises:
        AlreadyExistsError: LOOK_EXISTS, REQUEST_ID_REUSED.
        InvalidArgumentError, FailedPreconditionError: see `check_look` and `check_fits`.
    """
    with write(engine) as connection:
        lock_tenant(connection, tenant_id)
        made = find_made(connection, looks, looks.c.tenant_id == tenant_id, key)
        if made is not None:
            return find_look(connection, tenant_id, made.name)
        if connection.execute(newest(looks, tenant_id).where(looks.c.name == look.name)).first() is not None:
            raise AlreadyExistsError(
                "LOOK_EXISTS",
                f"{look_name(look.name)} exists already, or did and is archived; choose another look_id, or UpdateLook",
                violations=[FieldViolation("look_id", "is taken")],
                metadata={"name": look_name(look.name)},
            )
        check_look(connection, styles, tenant_id, look)
        check_fits(look.frame, painted)
        now = database_now(connection)
        if not validate_only:
            _insert(connection, tenant_id, look, now, **labelling.fields, **key.columns)
        return ListedLook(look, created_at=now, labelling=labelling)


def update_look(
    engine: Engine,
    styles: StyleLibrary,
    tenant_id: str,
    name: str,
    change: LookChange,
    *,
    painted: Sequence[Painted | None],
    validate_only: bool,
) -> ListedLook:
    """Keeps the next version of a look, or answers the newest where nothing differs; `validate_only` inserts nothing.

    `painted`: as for `check_fits`, which a frame that stays as it is need not pass.

    Raises:
        NotFoundError: LOOK_NOT_FOUND.
        InvalidArgumentError: see `check_look`.
        FailedPreconditionError: LOOK_ARCHIVED, and see `check_look` and `check_fits`.
    """
    with write(engine) as connection:
        lock_tenant(connection, tenant_id)
        last = find_look(connection, tenant_id, name)
        check_usable(last, "name")
        changed = change.applied_to(last.look)
        if changed == last.look:
            return last
        check_look(connection, styles, tenant_id, changed, "styles.styles")
        if changed.frame != last.look.frame:
            check_fits(changed.frame, painted)
        now = database_now(connection)
        if not validate_only:
            _insert(connection, tenant_id, changed, now, **last.labelling.fields)
        return ListedLook(changed, created_at=now, labelling=last.labelling)


def archive_look(engine: Engine, tenant_id: str, name: str) -> ListedLook:
    """Takes a look out of use; one that is archived stays so.

    Raises:
        NotFoundError: LOOK_NOT_FOUND.
    """
    with write(engine) as connection:
        lock_tenant(connection, tenant_id)
        find_look(connection, tenant_id, name)
        archive(connection, looks, tenant_id, name)
        return find_look(connection, tenant_id, name)


def check_usable(listed: ListedLook, field: str) -> None:
    """Refuses an archived look; `field` names it in the caller's request.

    Raises:
        FailedPreconditionError: LOOK_ARCHIVED.
    """
    if listed.archived:
        name = look_name(listed.look.name)
        raise FailedPreconditionError(
            "LOOK_ARCHIVED",
            f"{name} is archived and out of use; take another look, or make a new one",
            violations=[FieldViolation(field, "is archived")],
            metadata={"name": name},
        )


def _insert(connection: Connection, tenant_id: str, look: Look, now: float, **more: Any) -> None:
    values = {"tenant_id": tenant_id, "name": look.name, "version": look.version, "created_at": now, **more}
    connection.execute(sa.insert(looks).values(**values, look=look.to_json()))


def _to_listed(row: Row[Any]) -> ListedLook:
    archived, labelling = row.archived_at is not None, Labelling.of_row(row)
    return ListedLook(Look.from_json(row.look), archived, row.created_at, labelling)
