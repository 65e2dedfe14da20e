"""Keeps the tenants' own packs and finds them beside the built-in ones. Blocking SQL.

Where a built-in pack has the name of a tenant's own, which a later installation may bring, the tenant's own counts.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from headshots.database import database_now, read, write
from headshots.errors import AlreadyExistsError, FailedPreconditionError, FieldViolation, NotFoundError
from headshots.schema import packs
from headshots.styles.library import StyleLibrary
from headshots.styles.packs import Pack, PackLibrary
from services.gateway.api.errors import not_found
from services.gateway.api.labels import NO_LABELS, Labelling
from services.gateway.api.names import pack_name
from services.gateway.api.requests import IdempotencyKey, find_made
from services.gateway.packs.checks import check_styles
from services.gateway.packs.models import ListedPack, PackChange
from services.gateway.tenants.rows import lock_tenant
from services.gateway.tenants.versions import archive, at_version, newest, newest_after, taken


def find_pack(connection: Connection, library: PackLibrary, tenant_id: str, name: str, version: int = 0) -> ListedPack:
    """One pack; `version` 0 is the newest.

    Raises:
        NotFoundError: PACK_NOT_FOUND, PACK_VERSION_NOT_FOUND.
    """
    found = _newest(connection, library, tenant_id, name)
    if found is None:
        raise not_found("PACK_NOT_FOUND", pack_name(name), listed_by="ListPacks")
    if version in (0, found.pack.version):
        return found
    older = at_version(connection, packs, tenant_id, name, version)
    if older is None:
        raise NotFoundError(
            "PACK_VERSION_NOT_FOUND",
            f"{pack_name(name)} has no version {version} here; its newest is {found.pack.version}",
            metadata={"name": pack_name(name)},
        )
    return _to_listed(older)


def usable_pack(connection: Connection, library: PackLibrary, tenant_id: str, name: str, *, field: str) -> Pack:
    """The newest version of a pack that an order names; `field` is where in the caller's request.

    Raises:
        NotFoundError: PACK_NOT_FOUND.
        FailedPreconditionError: PACK_ARCHIVED.
    """
    found = find_pack(connection, library, tenant_id, name)
    check_usable(found, field)
    return found.pack


def get_pack(engine: Engine, library: PackLibrary, tenant_id: str, name: str, version: int) -> ListedPack:
    """See :func:`find_pack`."""
    with read(engine) as connection:
        return find_pack(connection, library, tenant_id, name, version)


def list_packs(
    engine: Engine, library: PackLibrary, tenant_id: str, *, wanted: Labelling, after: str, size: int, archived: bool
) -> list[ListedPack]:
    """The first `size` packs that are labelled as wanted and whose names come after `after`, by name.

    Built-in packs have no labels. `archived`: archived ones too.
    """
    with read(engine) as connection:
        in_use = [] if archived else [packs.c.archived_at.is_(None)]
        rows = newest_after(connection, packs, tenant_id, after, size, wanted.where(packs), *in_use)
        listed = [_to_listed(row) for row in rows]
        built_in = [pack for pack in library if pack.name > after][:size] if wanted.selects_all else []
        own = taken(connection, packs, tenant_id, [pack.name for pack in built_in])
    listed += [ListedPack(pack, built_in=True) for pack in built_in if pack.name not in own]
    return sorted(listed, key=lambda each: each.pack.name)[:size]


def create_pack(
    engine: Engine,
    styles: StyleLibrary,
    library: PackLibrary,
    tenant_id: str,
    pack: Pack,
    labelling: Labelling = NO_LABELS,
    *,
    key: IdempotencyKey,
    validate_only: bool,
) -> ListedPack:
    """Keeps a new pack; a repeated `key` returns the one that it created before; `validate_only` inserts nothing.

    Raises:
        AlreadyExistsError: PACK_EXISTS, REQUEST_ID_REUSED.
        InvalidArgumentError, FailedPreconditionError: see `check_styles`.
    """
    with write(engine) as connection:
        lock_tenant(connection, tenant_id)
        made = find_made(connection, packs, packs.c.tenant_id == tenant_id, key)
        if made is not None:
            return find_pack(connection, library, tenant_id, made.name)
        if _newest(connection, library, tenant_id, pack.name) is not None:
            raise AlreadyExistsError(
                "PACK_EXISTS",
                f"{pack_name(pack.name)} exists already, built in, your own or archived; choose another pack_id, or "
                "UpdatePack where it is your own",
                violations=[FieldViolation("pack_id", "is taken")],
                metadata={"name": pack_name(pack.name)},
            )
        check_styles(connection, styles, tenant_id, pack, "styles")
        now = database_now(connection)
        if not validate_only:
            _insert(connection, tenant_id, pack, now, **labelling.fields, **key.columns)
        return ListedPack(pack, built_in=False, created_at=now, labelling=labelling)


def update_pack(
    engine: Engine,
    styles: StyleLibrary,
    library: PackLibrary,
    tenant_id: str,
    name: str,
    change: PackChange,
    *,
    validate_only: bool,
) -> ListedPack:
    """Keeps the next version of a pack, or answers the newest where nothing differs; `validate_only` inserts nothing.

    Raises:
        NotFoundError: PACK_NOT_FOUND.
        FailedPreconditionError: PACK_BUILT_IN, PACK_ARCHIVED; of styles that are given also those of `check_styles`.
        InvalidArgumentError: see `check_styles`.
    """
    with write(engine) as connection:
        lock_tenant(connection, tenant_id)
        last = find_pack(connection, library, tenant_id, name)
        check_own(last)
        check_usable(last, "name")
        changed = change.applied_to(last.pack)
        if changed == last.pack:
            return last
        if change.styles is not None:
            check_styles(connection, styles, tenant_id, changed, "styles.styles")
        now = database_now(connection)
        if not validate_only:
            _insert(connection, tenant_id, changed, now, **last.labelling.fields)
        return ListedPack(changed, built_in=False, created_at=now, labelling=last.labelling)


def archive_pack(engine: Engine, library: PackLibrary, tenant_id: str, name: str) -> ListedPack:
    """Takes a pack out of use; one that is archived stays so.

    Raises:
        NotFoundError: PACK_NOT_FOUND.
        FailedPreconditionError: PACK_BUILT_IN.
    """
    with write(engine) as connection:
        lock_tenant(connection, tenant_id)
        check_own(find_pack(connection, library, tenant_id, name))
        archive(connection, packs, tenant_id, name)
        return find_pack(connection, library, tenant_id, name)


def check_own(listed: ListedPack) -> None:
    """Refuses a change of a built-in pack.

    Raises:
        FailedPreconditionError: PACK_BUILT_IN.
    """
    if listed.built_in:
        name = pack_name(listed.pack.name)
        message = f"{name} came with the installation, for every tenant; CreatePack makes one of your own"
        raise FailedPreconditionError("PACK_BUILT_IN", message, metadata={"name": name})


def check_usable(listed: ListedPack, field: str) -> None:
    """Refuses an archived pack; `field` names it in the caller's request.

    Raises:
        FailedPreconditionError: PACK_ARCHIVED.
    """
    if listed.archived:
        name = pack_name(listed.pack.name)
        raise FailedPreconditionError(
            "PACK_ARCHIVED",
            f"{name} is archived and out of use; take another pack, or make a new one of its styles",
            violations=[FieldViolation(field, "is archived")],
            metadata={"name": name},
        )


def _newest(connection: Connection, library: PackLibrary, tenant_id: str, name: str) -> ListedPack | None:
    row = connection.execute(newest(packs, tenant_id).where(packs.c.name == name)).first()
    if row is not None:
        return _to_listed(row)
    built_in = library.get(name)
    return ListedPack(built_in, built_in=True) if built_in is not None else None


def _insert(connection: Connection, tenant_id: str, pack: Pack, now: float, **more: Any) -> None:
    values = {"tenant_id": tenant_id, "name": pack.name, "version": pack.version, "created_at": now, **more}
    connection.execute(sa.insert(packs).values(**values, pack=pack.to_json()))


def _to_listed(row: Row[Any]) -> ListedPack:
    archived, labelling = row.archived_at is not None, Labelling.of_row(row)
    pack = Pack.from_json(row.pack)
    return ListedPack(pack, built_in=False, archived=archived, created_at=row.created_at, labelling=labelling)
