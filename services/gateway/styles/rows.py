"""Keeps the tenants' own styles and finds them beside the built-in ones. Blocking SQL.

Where a built-in style has the name of a tenant's own, which a later installation may bring, the tenant's own counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from headshots.database import database_now, read, write
from headshots.errors import (
    AlreadyExistsError,
    FailedPreconditionError,
    FieldViolation,
    InvalidArgumentError,
    NotFoundError,
)
from headshots.schema import styles
from headshots.styles.library import StyleLibrary
from headshots.styles.recipe import Style
from services.gateway.api.errors import not_found
from services.gateway.api.labels import NO_LABELS, Labelling
from services.gateway.api.names import style_name
from services.gateway.api.requests import IdempotencyKey, find_made
from services.gateway.styles.models import ListedStyle
from services.gateway.tenants.rows import lock_tenant
from services.gateway.tenants.versions import archive, at_version, newest, newest_after, taken


def find_styles(
    connection: Connection, library: StyleLibrary, tenant_id: str, names: Iterable[str]
) -> dict[str, ListedStyle]:
    """The newest versions of those of the names that the tenant may use, archived ones too."""
    wanted = list(names)
    found = {name: ListedStyle(library.get(name), built_in=True) for name in wanted if name in library}
    own = connection.execute(newest(styles, tenant_id).where(styles.c.name.in_(wanted)))
    return found | {row.name: _to_listed(row) for row in own}


def find_style(
    connection: Connection, library: StyleLibrary, tenant_id: str, name: str, version: int = 0
) -> ListedStyle:
    """One style; `version` 0 is the newest.

    Raises:
        NotFoundError: STYLE_NOT_FOUND, STYLE_VERSION_NOT_FOUND.
    """
    found = find_styles(connection, library, tenant_id, [name]).get(name)
    if found is None:
        raise not_found("STYLE_NOT_FOUND", style_name(name), listed_by="ListStyles")
    if version in (0, found.style.version):
        return found
    older = at_version(connection, styles, tenant_id, name, version)
    if older is None:
        raise NotFoundError(
            "STYLE_VERSION_NOT_FOUND",
            f"{style_name(name)} has no version {version} here; its newest is {found.style.version}",
            metadata={"name": style_name(name)},
        )
    return _to_listed(older)


def usable_styles(
    connection: Connection, library: StyleLibrary, tenant_id: str, names: Sequence[str], fields: Sequence[str]
) -> list[Style]:
    """The newest versions of the named styles; `fields` are where each is named in the caller's request.

    Raises:
        InvalidArgumentError: STYLE_UNKNOWN.
        FailedPreconditionError: STYLE_ARCHIVED.
    """
    found = find_styles(connection, library, tenant_id, names)
    violations = [
        FieldViolation(field, f"no style is called {style_name(name)}")
        for name, field in zip(names, fields, strict=True)
        if name not in found
    ]
    if violations:
        known = ", ".join(style.name for style in library)
        raise InvalidArgumentError(
            "STYLE_UNKNOWN",
            f"{violations[0].description}; there are {known}, and your own, which ListStyles shows",
            violations=violations,
        )
    for name, field in zip(names, fields, strict=True):
        check_usable(found[name], field)
    return [found[name].style for name in names]


def get_style(engine: Engine, library: StyleLibrary, tenant_id: str, name: str, version: int) -> ListedStyle:
    """See :func:`find_style`."""
    with read(engine) as connection:
        return find_style(connection, library, tenant_id, name, version)


def list_styles(
    engine: Engine, library: StyleLibrary, tenant_id: str, *, wanted: Labelling, after: str, size: int, archived: bool
) -> list[ListedStyle]:
    """The first `size` styles that are labelled as wanted and whose names come after `after`, by name.

    Built-in styles have no labels. `archived`: archived ones too.
    """
    with read(engine) as connection:
        in_use = [] if archived else [styles.c.archived_at.is_(None)]
        rows = newest_after(connection, styles, tenant_id, after, size, wanted.where(styles), *in_use)
        listed = [_to_listed(row) for row in rows]
        built_in = [style for style in library if style.name > after][:size] if wanted.selects_all else []
        own = taken(connection, styles, tenant_id, [style.name for style in built_in])
    listed += [ListedStyle(style, built_in=True) for style in built_in if style.name not in own]
    return sorted(listed, key=lambda each: each.style.name)[:size]


def made_style(engine: Engine, tenant_id: str, key: IdempotencyKey) -> ListedStyle | None:
    """The newest version of the style that an earlier create call with this key made. Raises as `find_made`."""
    with read(engine) as connection:
        return _made(connection, tenant_id, key)


def create_style(
    engine: Engine,
    library: StyleLibrary,
    tenant_id: str,
    style: Style,
    labelling: Labelling = NO_LABELS,
    *,
    key: IdempotencyKey,
    validate_only: bool,
) -> ListedStyle:
    """Keeps a new style; a repeated `key` returns the style that it created before; `validate_only` inserts nothing.

    Raises:
        AlreadyExistsError: STYLE_EXISTS, REQUEST_ID_REUSED.
    """
    with write(engine) as connection:
        lock_tenant(connection, tenant_id)
        made = _made(connection, tenant_id, key)
        if made is not None:
            return made
        if style.name in find_styles(connection, library, tenant_id, [style.name]):
            raise AlreadyExistsError(
                "STYLE_EXISTS",
                f"{style_name(style.name)} exists already, built in, your own or archived; choose another style_id, or "
                "UpdateStyle where it is your own",
                violations=[FieldViolation("style_id", "is taken")],
                metadata={"name": style_name(style.name)},
            )
        now = database_now(connection)
        if not validate_only:
            _insert(connection, tenant_id, style, now, **labelling.fields, **key.columns)
        return ListedStyle(style, built_in=False, created_at=now, labelling=labelling)


def add_version(engine: Engine, tenant_id: str, style: Style) -> ListedStyle | None:
    """Keeps the next version of a style; None where another call has changed or archived it meanwhile."""
    with write(engine) as connection:
        lock_tenant(connection, tenant_id)
        last = connection.execute(newest(styles, tenant_id).where(styles.c.name == style.name)).one()
        if last.version != style.version - 1 or last.archived_at is not None:
            return None
        now, labelling = database_now(connection), Labelling.of_row(last)
        _insert(connection, tenant_id, style, now, **labelling.fields)
        return ListedStyle(style, built_in=False, created_at=now, labelling=labelling)


def archive_style(engine: Engine, library: StyleLibrary, tenant_id: str, name: str) -> ListedStyle:
    """Takes a style out of use; one that is archived stays so.

    Raises:
        NotFoundError: STYLE_NOT_FOUND.
        FailedPreconditionError: STYLE_BUILT_IN.
    """
    with write(engine) as connection:
        lock_tenant(connection, tenant_id)
        check_own(find_style(connection, library, tenant_id, name))
        archive(connection, styles, tenant_id, name)
        return find_style(connection, library, tenant_id, name)


def check_own(listed: ListedStyle) -> None:
    """Refuses a change of a built-in style.

    Raises:
        FailedPreconditionError: STYLE_BUILT_IN.
    """
    if listed.built_in:
        raise FailedPreconditionError(
            "STYLE_BUILT_IN",
            f"{style_name(listed.style.name)} came with the installation, for every tenant; CreateStyle makes one of "
            "your own",
            metadata={"name": style_name(listed.style.name)},
        )


def check_usable(listed: ListedStyle, field: str = "name") -> None:
    """Refuses an archived style; `field` names it in the caller's request.

    Raises:
        FailedPreconditionError: STYLE_ARCHIVED.
    """
    if listed.archived:
        name = style_name(listed.style.name)
        raise FailedPreconditionError(
            "STYLE_ARCHIVED",
            f"{name} is archived and out of use; take another style, or make a new one of its recipe",
            violations=[FieldViolation(field, "is archived")],
            metadata={"name": name},
        )


def _made(connection: Connection, tenant_id: str, key: IdempotencyKey) -> ListedStyle | None:
    made = find_made(connection, styles, styles.c.tenant_id == tenant_id, key)
    if made is None:
        return None
    return _to_listed(connection.execute(newest(styles, tenant_id).where(styles.c.name == made.name)).one())


def _insert(connection: Connection, tenant_id: str, style: Style, now: float, **more: Any) -> None:
    values = {"tenant_id": tenant_id, "name": style.name, "version": style.version, "created_at": now, **more}
    connection.execute(sa.insert(styles).values(**values, style=style.to_json()))


def _to_listed(row: Row[Any]) -> ListedStyle:
    archived = row.archived_at is not None
    labelling, created_at = Labelling.of_row(row), row.created_at
    return ListedStyle(
        Style(**row.style), built_in=False, archived=archived, created_at=created_at, labelling=labelling
    )
