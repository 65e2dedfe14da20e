"""Calls the gateway about subjects."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime

from headshots.client.connection import Connection, new_request_id
from headshots.client.convert import subjects as convert
from headshots.client.convert.labels import wire_change, wire_labelling
from headshots.client.models.labels import Labelling
from headshots.client.models.subjects import Consent, Deletion, Subject, SubjectRef, Withdrawal
from headshots.client.names import Kind, resource_name
from headshots.v1 import subjects_pb2


class SubjectCalls(Connection):
    """People."""

    async def create_subject(
        self,
        display_name: str = "",
        *,
        class_noun: str = "person",
        consent: Consent | None = None,
        retention_seconds: int = 0,
        photo_retention_seconds: int | None = None,
        labelling: Labelling | None = None,
        request_id: str | None = None,
    ) -> Subject:
        """Make a subject.

        Args:
            display_name: for people, at most 128 characters.
            class_noun: the word the foundation knows such a person by: man, woman, person …
            consent: what the person agreed to; without one nothing is trained or painted unless your tenant needs none.
            retention_seconds: how long it is kept after each delivery, an hour to 400 days; 0: as long as your tenant
                says.
            photo_retention_seconds: how long its photos are kept after a delivery, 0 or an hour to 400 days; None: as
                your tenant says.
            labelling: labels and an external id of your own.
            request_id: the same id with the same arguments answers the same subject; default a new one.

        Raises:
            InvalidArgumentError: CONSENT_INVALID, the consent contradicts itself; RETENTION_INVALID.
            AlreadyExistsError: REQUEST_ID_REUSED: `request_id` came before, with other fields.
        """
        request = subjects_pb2.CreateSubjectRequest(
            display_name=display_name,
            class_noun=class_noun,
            consent=convert.wire_consent(consent),
            retention_seconds=retention_seconds,
            photo_retention_seconds=photo_retention_seconds,
            request_id=request_id or new_request_id(),
            **wire_labelling(labelling),
        )
        return convert.subject((await self._unary("CreateSubject", request)).subject)

    async def get_subject(self, subject: SubjectRef) -> Subject:
        """One subject, by name, bare id or an older copy of it.

        Raises:
            NotFoundError: no such subject in this tenant.
        """
        request = subjects_pb2.GetSubjectRequest(name=resource_name(subject, Kind.SUBJECT))
        return convert.subject((await self._unary("GetSubject", request)).subject)

    async def list_subjects(
        self, *, labelling: Labelling | None = None, expire_before: datetime | None = None, page_size: int = 0
    ) -> AsyncIterator[Subject]:
        """All subjects, newest first; pages are fetched as they are needed.

        Args:
            labelling: only those that are labelled so.
            expire_before: only those whose `expire_time` comes before this, the first to end first; held ones are left
                out.
            page_size: subjects that one call brings, at most 1000; 0: 50.
        """
        request = subjects_pb2.ListSubjectsRequest(page_size=page_size, **wire_labelling(labelling))
        if expire_before is not None:
            request.expire_before_time.FromDatetime(expire_before)
        async for item in self._pages("ListSubjects", request, "subjects"):
            yield convert.subject(item)

    async def update_subject(
        self,
        subject: SubjectRef,
        *,
        display_name: str | None = None,
        labels: Mapping[str, str] | None = None,
        external_id: str | None = None,
    ) -> Subject:
        """Change what a subject is called and labelled; what is None stays as it is, `labels` replaces all it had.

        Raises:
            NotFoundError: no such subject in this tenant.
        """
        request = subjects_pb2.UpdateSubjectRequest(
            name=resource_name(subject, Kind.SUBJECT),
            display_name=display_name,
            **wire_change(labels, external_id),
        )
        return convert.subject((await self._unary("UpdateSubject", request)).subject)

    async def delete_subject(self, subject: SubjectRef) -> Deletion:
        """Erase the subject with its photos, adapters and images; a signed receipt of it follows within a minute.

        Raises:
            FailedPreconditionError: a training or a gallery of it still runs, or it is held.
            NotFoundError: no such subject in this tenant.
        """
        request = subjects_pb2.DeleteSubjectRequest(name=resource_name(subject, Kind.SUBJECT))
        answer = await self._unary("DeleteSubject", request)
        return Deletion(answer.deleted_objects, answer.erasure)

    async def give_consent(self, subject: SubjectRef, consent: Consent) -> Subject:
        """Record what the person agreed to, in place of an earlier consent.

        Raises:
            InvalidArgumentError: CONSENT_INVALID, the consent contradicts itself.
            NotFoundError: no such subject in this tenant.
        """
        request = subjects_pb2.GiveConsentRequest(
            name=resource_name(subject, Kind.SUBJECT), consent=convert.wire_consent(consent)
        )
        return convert.subject((await self._unary("GiveConsent", request)).subject)

    async def withdraw_consent(self, subject: SubjectRef) -> Withdrawal:
        """Take the person's consent back: the subject is gone at once, its jobs are stopped, and all of it is erased.

        Raises:
            FailedPreconditionError: CONSENT_MISSING, none was given; `delete_subject` erases such a subject.
            NotFoundError: no such subject in this tenant.
        """
        request = subjects_pb2.WithdrawConsentRequest(name=resource_name(subject, Kind.SUBJECT))
        answer = await self._unary("WithdrawConsent", request)
        return Withdrawal(answer.erased, answer.deleted_objects, answer.erasure)

    async def extend_retention(self, subject: SubjectRef, expire_time: datetime) -> Subject:
        """Keep the subject until then, at most 400 days ahead.

        Raises:
            InvalidArgumentError: RETENTION_INVALID, it is kept longer already, or the time is too far ahead.
            FailedPreconditionError: SUBJECT_EXPIRED.
            NotFoundError: no such subject in this tenant.
        """
        request = subjects_pb2.ExtendRetentionRequest(name=resource_name(subject, Kind.SUBJECT))
        request.expire_time.FromDatetime(expire_time)
        return convert.subject((await self._unary("ExtendRetention", request)).subject)

    async def hold_subject(self, subject: SubjectRef, reason: str) -> Subject:
        """Keep the subject whatever its `expire_time`, until `release_subject`; it cannot be deleted meanwhile.

        Args:
            reason: why, 1 to 256 characters; in place of that of an earlier hold.
            subject: by name, bare id or an older copy of it.

        Raises:
            FailedPreconditionError: SUBJECT_EXPIRED.
            NotFoundError: no such subject in this tenant.
        """
        request = subjects_pb2.HoldSubjectRequest(name=resource_name(subject, Kind.SUBJECT), reason=reason)
        return convert.subject((await self._unary("HoldSubject", request)).subject)

    async def release_subject(self, subject: SubjectRef) -> Subject:
        """End a hold; a subject that is past its `expire_time` is erased then.

        Raises:
            NotFoundError: no such subject in this tenant.
        """
        request = subjects_pb2.ReleaseSubjectRequest(name=resource_name(subject, Kind.SUBJECT))
        return convert.subject((await self._unary("ReleaseSubject", request)).subject)
