"""Creates, finds, changes and erases subjects for the servicer; blocking work runs in threads."""

from __future__ import annotations

from sqlalchemy.engine import Engine

from headshots.threads import in_read_thread, in_write_thread
from services.gateway.api.labels import Labelling
from services.gateway.api.requests import IdempotencyKey
from services.gateway.consents.models import Consent
from services.gateway.galleries.engine import ShotWorkers
from services.gateway.retention.models import OwnTerms
from services.gateway.subjects import erasure, rows
from services.gateway.subjects.eraser import Eraser
from services.gateway.subjects.models import Deletion, Subject, SubjectChange, Withdrawal


class SubjectEngine:
    """One method an RPC. Tenants see their own rows only: everything else is NotFoundError."""

    def __init__(self, database: Engine, eraser: Eraser, painters: ShotWorkers) -> None:
        self._database = database
        self._eraser = eraser
        self._painters = painters

    async def create(
        self,
        tenant: str,
        display_name: str,
        class_noun: str,
        consent: Consent | None,
        own_terms: OwnTerms,
        labelling: Labelling,
        key: IdempotencyKey,
    ) -> Subject:
        """See `rows.create_subject`."""
        return await in_write_thread(
            rows.create_subject,
            self._database,
            tenant,
            display_name=display_name,
            class_noun=class_noun,
            consent=consent,
            own_terms=own_terms,
            labelling=labelling,
            key=key,
        )

    async def get(self, tenant: str, subject_id: str) -> Subject:
        """See `rows.get_subject`."""
        return await in_read_thread(rows.get_subject, self._database, tenant, subject_id)

    async def page(
        self, tenant: str, wanted: Labelling, before: float | None, size: int, token: str
    ) -> tuple[list[Subject], str]:
        """See `rows.list_subjects`; with `before` see `rows.list_ending`."""
        if before is not None:
            return await in_read_thread(rows.list_ending, self._database, tenant, wanted, before, size, token)
        return await in_read_thread(rows.list_subjects, self._database, tenant, wanted, size, token)

    async def change(self, tenant: str, subject_id: str, change: SubjectChange) -> Subject:
        """See `rows.change_subject`."""
        return await in_write_thread(rows.change_subject, self._database, tenant, subject_id, change)

    async def delete(self, tenant: str, subject_id: str) -> Deletion:
        """See `Eraser.delete`."""
        return await self._eraser.delete(tenant, subject_id)

    async def give_consent(self, tenant: str, subject_id: str, consent: Consent) -> Subject:
        """See `rows.give_consent`."""
        return await in_write_thread(rows.give_consent, self._database, tenant, subject_id, consent)

    async def withdraw_consent(self, tenant: str, subject_id: str) -> Withdrawal:
        """Raises as `erasure.withdraw` and `Eraser.delete_if_idle`."""
        hidden = await in_write_thread(erasure.withdraw, self._database, tenant, subject_id)
        for gallery_id in hidden.galleries:
            self._painters.stop_shots(gallery_id)
        return await self._eraser.delete_if_idle(hidden)

    async def extend_retention(self, tenant: str, subject_id: str, until: float) -> Subject:
        """See `rows.extend_retention`."""
        return await in_write_thread(rows.extend_retention, self._database, tenant, subject_id, until)

    async def hold(self, tenant: str, subject_id: str, reason: str) -> Subject:
        """See `rows.hold_subject`."""
        return await in_write_thread(rows.hold_subject, self._database, tenant, subject_id, reason)

    async def release(self, tenant: str, subject_id: str) -> Subject:
        """See `rows.release_subject`."""
        return await in_write_thread(rows.release_subject, self._database, tenant, subject_id)
