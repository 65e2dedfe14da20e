"""Answers the calls about the tenant and its subjects."""

from __future__ import annotations

import datetime
import hashlib
from typing import Any

from headshots.errors import FailedPreconditionError, InvalidArgumentError
from headshots.v1 import subjects_pb2, tenants_pb2
from tests.support.fake_gateway.state import FakeState, find, labelled, page, relabel

RETENTION_SECONDS = 30 * 86400
ERASURE = "erasures/e0"
"""What deleted subjects are answered with."""


class FakeSubjects(FakeState):
    """The tenant and its subjects."""

    async def GetTenant(self, request: tenants_pb2.GetTenantRequest, context: Any) -> tenants_pb2.GetTenantResponse:
        self.enter("GetTenant", request)
        return tenants_pb2.GetTenantResponse(tenant=self._tenant())

    def _tenant(self) -> tenants_pb2.Tenant:
        policy: dict[str, Any] = {"retention_seconds": RETENTION_SECONDS, **self.policy}
        return tenants_pb2.Tenant(
            name="tenants/t1", display_name="Test", consent_required=self.requires_consent, **policy
        )

    async def UpdateTenant(
        self, request: tenants_pb2.UpdateTenantRequest, context: Any
    ) -> tenants_pb2.UpdateTenantResponse:
        self.enter("UpdateTenant", request)
        if not request.update_mask.paths:
            raise InvalidArgumentError("UPDATE_MASK_INVALID", "update_mask names no field")
        for name in request.update_mask.paths:
            self.policy.pop(name, None)
            if request.HasField(name):  # type: ignore[arg-type]
                self.policy[name] = getattr(request, name)
        return tenants_pb2.UpdateTenantResponse(tenant=self._tenant())

    async def CreateSubject(
        self, request: subjects_pb2.CreateSubjectRequest, context: Any
    ) -> subjects_pb2.CreateSubjectResponse:
        self.enter("CreateSubject", request)
        name = self.by_request_id.setdefault(request.request_id, f"subjects/s{len(self.subjects)}")
        if name not in self.subjects:
            subject = subjects_pb2.Subject(name=name, class_noun=request.class_noun, **labelled(request))
            subject.display_name = request.display_name
            subject.create_time.GetCurrentTime()
            if request.HasField("consent"):
                record(subject, request.consent)
            kept = datetime.timedelta(seconds=request.retention_seconds or RETENTION_SECONDS)
            subject.expire_time.FromDatetime(subject.create_time.ToDatetime() + kept)
            self.subjects[name], self.photos[name] = subject, []
        return subjects_pb2.CreateSubjectResponse(subject=self.subjects[name])

    async def GetSubject(
        self, request: subjects_pb2.GetSubjectRequest, context: Any
    ) -> subjects_pb2.GetSubjectResponse:
        self.enter("GetSubject", request)
        return subjects_pb2.GetSubjectResponse(subject=find(self.subjects, request.name, "SUBJECT_NOT_FOUND"))

    async def ListSubjects(
        self, request: subjects_pb2.ListSubjectsRequest, context: Any
    ) -> subjects_pb2.ListSubjectsResponse:
        self.enter("ListSubjects", request)
        found = list(self.subjects.values())[::-1]
        if request.HasField("expire_before_time"):
            before = request.expire_before_time.ToDatetime()
            ending = [each for each in found if not each.HasField("hold") and each.expire_time.ToDatetime() < before]
            found = sorted(ending, key=lambda each: each.expire_time.ToDatetime())
        items, token = page(found, request)
        return subjects_pb2.ListSubjectsResponse(subjects=items, next_page_token=token)

    async def UpdateSubject(
        self, request: subjects_pb2.UpdateSubjectRequest, context: Any
    ) -> subjects_pb2.UpdateSubjectResponse:
        self.enter("UpdateSubject", request)
        subject = find(self.subjects, request.name, "SUBJECT_NOT_FOUND")
        if request.HasField("display_name"):
            subject.display_name = request.display_name
        relabel(subject, request)
        return subjects_pb2.UpdateSubjectResponse(subject=subject)

    async def DeleteSubject(
        self, request: subjects_pb2.DeleteSubjectRequest, context: Any
    ) -> subjects_pb2.DeleteSubjectResponse:
        self.enter("DeleteSubject", request)
        subject = find(self.subjects, request.name, "SUBJECT_NOT_FOUND")
        if subject.HasField("hold"):
            told = f"{subject.name} is held: {subject.hold.reason}"
            raise FailedPreconditionError("SUBJECT_HELD", told, metadata={"name": subject.name})
        del self.subjects[request.name]
        removed = len(self.photos.pop(request.name))
        return subjects_pb2.DeleteSubjectResponse(deleted_objects=removed, erasure=ERASURE)

    async def GiveConsent(
        self, request: subjects_pb2.GiveConsentRequest, context: Any
    ) -> subjects_pb2.GiveConsentResponse:
        self.enter("GiveConsent", request)
        subject = find(self.subjects, request.name, "SUBJECT_NOT_FOUND")
        record(subject, request.consent)
        return subjects_pb2.GiveConsentResponse(subject=subject)

    async def WithdrawConsent(
        self, request: subjects_pb2.WithdrawConsentRequest, context: Any
    ) -> subjects_pb2.WithdrawConsentResponse:
        self.enter("WithdrawConsent", request)
        check_consent(find(self.subjects, request.name, "SUBJECT_NOT_FOUND"))
        del self.subjects[request.name]
        photos = self.photos.pop(request.name)
        # As where a job runs: it is erased later.
        erased = not any(name.startswith(f"{request.name}/") for name in self.trainings)
        removed = len(photos) if erased else 0
        return subjects_pb2.WithdrawConsentResponse(erased=erased, deleted_objects=removed, erasure=ERASURE)

    async def ExtendRetention(
        self, request: subjects_pb2.ExtendRetentionRequest, context: Any
    ) -> subjects_pb2.ExtendRetentionResponse:
        self.enter("ExtendRetention", request)
        subject = find(self.subjects, request.name, "SUBJECT_NOT_FOUND")
        if request.expire_time.ToDatetime() < subject.expire_time.ToDatetime():
            raise InvalidArgumentError("RETENTION_INVALID", "expire_time: the subject is kept longer already")
        subject.expire_time.CopyFrom(request.expire_time)
        return subjects_pb2.ExtendRetentionResponse(subject=subject)

    async def HoldSubject(
        self, request: subjects_pb2.HoldSubjectRequest, context: Any
    ) -> subjects_pb2.HoldSubjectResponse:
        self.enter("HoldSubject", request)
        subject = find(self.subjects, request.name, "SUBJECT_NOT_FOUND")
        subject.hold.reason = request.reason
        subject.hold.hold_time.GetCurrentTime()
        return subjects_pb2.HoldSubjectResponse(subject=subject)

    async def ReleaseSubject(
        self, request: subjects_pb2.ReleaseSubjectRequest, context: Any
    ) -> subjects_pb2.ReleaseSubjectResponse:
        self.enter("ReleaseSubject", request)
        subject = find(self.subjects, request.name, "SUBJECT_NOT_FOUND")
        subject.ClearField("hold")
        return subjects_pb2.ReleaseSubjectResponse(subject=subject)


def record(subject: subjects_pb2.Subject, consent: subjects_pb2.Consent) -> None:
    """Keeps a consent with the subject, as the gateway completes it."""
    subject.consent.CopyFrom(consent)
    subject.consent.record_time.GetCurrentTime()
    if not subject.consent.HasField("give_time"):
        subject.consent.give_time.CopyFrom(subject.consent.record_time)
    if not subject.consent.statement_sha256:
        subject.consent.statement_sha256 = hashlib.sha256(consent.statement_text.encode()).hexdigest()


def check_consent(subject: subjects_pb2.Subject) -> None:
    """Refuses a subject that has given none."""
    if not subject.HasField("consent"):
        raise FailedPreconditionError(
            "CONSENT_MISSING", f"{subject.name} has given no consent", metadata={"name": subject.name}
        )
