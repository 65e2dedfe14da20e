"""Creates, changes and finds acceptance profiles for the servicer; blocking work runs in threads."""

from __future__ import annotations

from sqlalchemy.engine import Engine

from headshots.acceptance.profiles import Profile
from headshots.threads import in_read_thread, in_write_thread
from services.gateway.api.labels import Labelling
from services.gateway.api.requests import IdempotencyKey
from services.gateway.profiles import rows
from services.gateway.profiles.models import ListedProfile, ProfileChange


class ProfileEngine:
    """One method an RPC. Tenants see the built-in profiles and their own: everything else is NotFoundError."""

    def __init__(self, database: Engine) -> None:
        self._database = database

    async def create(
        self, tenant: str, profile: Profile, labelling: Labelling, *, key: IdempotencyKey, validate_only: bool
    ) -> ListedProfile:
        """See `rows.create_profile`."""
        return await in_write_thread(
            rows.create_profile, self._database, tenant, profile, labelling, key=key, validate_only=validate_only
        )

    async def update(self, tenant: str, name: str, change: ProfileChange, *, validate_only: bool) -> ListedProfile:
        """Raises as `get`; FailedPreconditionError PROFILE_BUILT_IN."""
        while True:
            newest = await self.get(tenant, name, 0)
            rows.check_own(newest)
            changed = change.applied_to(newest.profile)
            if changed == newest.profile:
                return newest
            if validate_only:
                return ListedProfile(changed, built_in=False, labelling=newest.labelling)
            made = await in_write_thread(rows.add_version, self._database, tenant, changed)
            if made is not None:
                return made

    async def get(self, tenant: str, name: str, version: int) -> ListedProfile:
        """See `rows.find_profile`."""
        return await in_read_thread(rows.get_profile, self._database, tenant, name, version)

    async def list_after(self, tenant: str, wanted: Labelling, after: str, size: int) -> list[ListedProfile]:
        """See `rows.list_profiles`."""
        return await in_read_thread(rows.list_profiles, self._database, tenant, wanted=wanted, after=after, size=size)
