"""Keeps the tenants' own acceptance profiles and finds them beside the built-in ones. Blocking SQL.

Where a built-in profile has the name of a tenant's own, which a later installation may bring, the tenant's own counts.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from headshots.acceptance.profiles import BUILT_IN, Profile
from headshots.database import database_now, read, write
from headshots.errors import (
    AlreadyExistsError,
    FailedPreconditionError,
    FieldViolation,
    InvalidArgumentError,
    NotFoundError,
)
from headshots.schema import profiles
from services.gateway.api.errors import not_found
from services.gateway.api.labels import NO_LABELS, Labelling
from services.gateway.api.names import profile_name
from services.gateway.api.requests import IdempotencyKey, find_made
from services.gateway.profiles.models import ListedProfile
from services.gateway.tenants.rows import lock_tenant
from services.gateway.tenants.versions import at_version, newest, newest_after, taken


def find_profile(connection: Connection, tenant_id: str, name: str, version: int = 0) -> ListedProfile:
    """One profile; `version` 0 is the newest.

    Raises:
        NotFoundError: PROFILE_NOT_FOUND, PROFILE_VERSION_NOT_FOUND.
    """
    found = _newest(connection, tenant_id, name)
    if found is None:
        raise not_found("PROFILE_NOT_FOUND", profile_name(name), listed_by="ListProfiles")
    if version in (0, found.profile.version):
        return found
    older = at_version(connection, profiles, tenant_id, name, version)
    if older is None:
        raise NotFoundError(
            "PROFILE_VERSION_NOT_FOUND",
            f"{profile_name(name)} has no version {version} here; its newest is {found.profile.version}",
            metadata={"name": profile_name(name)},
        )
    return _to_listed(older)


def usable_profile(connection: Connection, tenant_id: str, name: str, *, field: str = "profile") -> Profile:
    """The newest version of a profile that an order names; `field` is where in the caller's request.

    Raises:
        InvalidArgumentError: PROFILE_UNKNOWN.
    """
    found = _newest(connection, tenant_id, name)
    if found is None:
        rule = f"no profile is called {profile_name(name)}"
        raise InvalidArgumentError(
            "PROFILE_UNKNOWN",
            f"{rule}; there are {', '.join(map(profile_name, BUILT_IN))}, and your own, which ListProfiles shows",
            violations=[FieldViolation(field, rule)],
        )
    return found.profile


def get_profile(engine: Engine, tenant_id: str, name: str, version: int) -> ListedProfile:
    """See :func:`find_profile`."""
    with read(engine) as connection:
        return find_profile(connection, tenant_id, name, version)


def list_profiles(engine: Engine, tenant_id: str, *, wanted: Labelling, after: str, size: int) -> list[ListedProfile]:
    """The first `size` profiles that are labelled as wanted and whose names come after `after`, by name.

    Built-in profiles have no labels.
    """
    with read(engine) as connection:
        rows = newest_after(connection, profiles, tenant_id, after, size, wanted.where(profiles))
        listed = [_to_listed(row) for row in rows]
        own = taken(connection, profiles, tenant_id, list(BUILT_IN))
    shown = [name for name in BUILT_IN if name > after and name not in own] if wanted.selects_all else []
    listed += [ListedProfile(BUILT_IN[name], built_in=True) for name in shown]
    return sorted(listed, key=lambda each: each.profile.name)[:size]


def create_profile(
    engine: Engine,
    tenant_id: str,
    profile: Profile,
    labelling: Labelling = NO_LABELS,
    *,
    key: IdempotencyKey,
    validate_only: bool,
) -> ListedProfile:
    """Keeps a new profile; a repeated `key` returns the one that it created before; `validate_only` inserts nothing.

    Raises:
        AlreadyExistsError: PROFILE_EXISTS, REQUEST_ID_REUSED.
    """
    with write(engine) as connection:
        lock_tenant(connection, tenant_id)
        made = find_made(connection, profiles, profiles.c.tenant_id == tenant_id, key)
        if made is not None:
            return find_profile(connection, tenant_id, made.name)
        if _newest(connection, tenant_id, profile.name) is not None:
            raise AlreadyExistsError(
                "PROFILE_EXISTS",
                f"{profile_name(profile.name)} exists already, built in or your own; choose another profile_id, or "
                "UpdateProfile where it is your own",
                violations=[FieldViolation("profile_id", "is taken")],
                metadata={"name": profile_name(profile.name)},
            )
        now = database_now(connection)
        if not validate_only:
            _insert(connection, tenant_id, profile, now, **labelling.fields, **key.columns)
        return ListedProfile(profile, built_in=False, created_at=now, labelling=labelling)


def add_version(engine: Engine, tenant_id: str, profile: Profile) -> ListedProfile | None:
    """Keeps the next version of a profile; None where another call has changed it meanwhile."""
    with write(engine) as connection:
        lock_tenant(connection, tenant_id)
        last = find_profile(connection, tenant_id, profile.name)
        if last.profile.version != profile.version - 1:
            return None
        now = database_now(connection)
        _insert(connection, tenant_id, profile, now, **last.labelling.fields)
        return ListedProfile(profile, built_in=False, created_at=now, labelling=last.labelling)


def check_own(listed: ListedProfile) -> None:
    """Refuses a change of a built-in profile.

    Raises:
        FailedPreconditionError: PROFILE_BUILT_IN.
    """
    if listed.built_in:
        name = profile_name(listed.profile.name)
        message = f"{name} came with the installation, for every tenant; CreateProfile makes one of your own"
        raise FailedPreconditionError("PROFILE_BUILT_IN", message, metadata={"name": name})


def _newest(connection: Connection, tenant_id: str, name: str) -> ListedProfile | None:
    row = connection.execute(newest(profiles, tenant_id).where(profiles.c.name == name)).first()
    if row is not None:
        return _to_listed(row)
    return ListedProfile(BUILT_IN[name], built_in=True) if name in BUILT_IN else None


def _insert(connection: Connection, tenant_id: str, profile: Profile, now: float, **more: Any) -> None:
    values = {"tenant_id": tenant_id, "name": profile.name, "version": profile.version, "created_at": now, **more}
    connection.execute(sa.insert(profiles).values(**values, profile=profile.to_json()))


def _to_listed(row: Row[Any]) -> ListedProfile:
    labelling = Labelling.of_row(row)
    return ListedProfile(Profile.from_json(row.profile), built_in=False, created_at=row.created_at, labelling=labelling)
