"""Answers the RPCs of subjects: decode, one engine call, encode."""

from __future__ import annotations

from typing import Any

import grpc.aio

from headshots.rpc.auth import current_tenant
from headshots.v1 import subjects_pb2, subjects_pb2_grpc
from services.gateway.api.convert import idempotency_key, required_seconds, seconds_of
from services.gateway.api.labels import Labelling
from services.gateway.api.names import erasure_name, ids
from services.gateway.api.pages import DEFAULT_PAGE
from services.gateway.consents import convert as consents
from services.gateway.subjects import convert
from services.gateway.subjects.engine import SubjectEngine


class SubjectServicer(subjects_pb2_grpc.SubjectServiceServicer):
    """Every method raises `HeadshotsError`s; the server's interceptors turn them into statuses."""

    def __init__(self, engine: SubjectEngine) -> None:
        self._engine = engine

    def register(self, server: grpc.aio.Server) -> list[str]:
        """Adds the service to a server; full names of what was added."""
        subjects_pb2_grpc.add_SubjectServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        return [subjects_pb2.DESCRIPTOR.services_by_name["SubjectService"].full_name]

    async def CreateSubject(
        self, request: subjects_pb2.CreateSubjectRequest, context: Any
    ) -> subjects_pb2.CreateSubjectResponse:
        """Creates a subject."""
        consent = consents.given(request.consent) if request.HasField("consent") else None
        subject = await self._engine.create(
            current_tenant(),
            request.display_name,
            request.class_noun,
            consent,
            convert.own_terms(request),
            Labelling.of_request(request),
            idempotency_key(request),
        )
        return subjects_pb2.CreateSubjectResponse(subject=convert.subject(subject))

    async def GetSubject(
        self, request: subjects_pb2.GetSubjectRequest, context: Any
    ) -> subjects_pb2.GetSubjectResponse:
        """One subject."""
        subject = await self._engine.get(current_tenant(), *ids(request.name))
        return subjects_pb2.GetSubjectResponse(subject=convert.subject(subject))

    async def ListSubjects(
        self, request: subjects_pb2.ListSubjectsRequest, context: Any
    ) -> subjects_pb2.ListSubjectsResponse:
        """A page of subjects."""
        page, token = await self._engine.page(
            current_tenant(),
            Labelling.of_request(request),
            seconds_of(request, "expire_before_time"),
            request.page_size or DEFAULT_PAGE,
            request.page_token,
        )
        return subjects_pb2.ListSubjectsResponse(subjects=map(convert.subject, page), next_page_token=token)

    async def UpdateSubject(
        self, request: subjects_pb2.UpdateSubjectRequest, context: Any
    ) -> subjects_pb2.UpdateSubjectResponse:
        """Changes a subject."""
        (subject_id,) = ids(request.name)
        subject = await self._engine.change(current_tenant(), subject_id, convert.change(request))
        return subjects_pb2.UpdateSubjectResponse(subject=convert.subject(subject))

    async def DeleteSubject(
        self, request: subjects_pb2.DeleteSubjectRequest, context: Any
    ) -> subjects_pb2.DeleteSubjectResponse:
        """Erases a subject."""
        done = await self._engine.delete(current_tenant(), *ids(request.name))
        return subjects_pb2.DeleteSubjectResponse(
            deleted_objects=done.deleted_objects, erasure=erasure_name(done.erasure_id)
        )

    async def GiveConsent(
        self, request: subjects_pb2.GiveConsentRequest, context: Any
    ) -> subjects_pb2.GiveConsentResponse:
        """Records a consent."""
        (subject_id,) = ids(request.name)
        subject = await self._engine.give_consent(current_tenant(), subject_id, consents.given(request.consent))
        return subjects_pb2.GiveConsentResponse(subject=convert.subject(subject))

    async def WithdrawConsent(
        self, request: subjects_pb2.WithdrawConsentRequest, context: Any
    ) -> subjects_pb2.WithdrawConsentResponse:
        """Takes a consent back."""
        done = await self._engine.withdraw_consent(current_tenant(), *ids(request.name))
        return subjects_pb2.WithdrawConsentResponse(
            erased=done.erased, deleted_objects=done.deleted_objects, erasure=erasure_name(done.erasure_id)
        )

    async def ExtendRetention(
        self, request: subjects_pb2.ExtendRetentionRequest, context: Any
    ) -> subjects_pb2.ExtendRetentionResponse:
        """Keeps a subject longer."""
        (subject_id,) = ids(request.name)
        until = required_seconds(request, "expire_time")
        subject = await self._engine.extend_retention(current_tenant(), subject_id, until)
        return subjects_pb2.ExtendRetentionResponse(subject=convert.subject(subject))

    async def HoldSubject(
        self, request: subjects_pb2.HoldSubjectRequest, context: Any
    ) -> subjects_pb2.HoldSubjectResponse:
        """Suspends a subject's time."""
        (subject_id,) = ids(request.name)
        subject = await self._engine.hold(current_tenant(), subject_id, request.reason)
        return subjects_pb2.HoldSubjectResponse(subject=convert.subject(subject))

    async def ReleaseSubject(
        self, request: subjects_pb2.ReleaseSubjectRequest, context: Any
    ) -> subjects_pb2.ReleaseSubjectResponse:
        """Lets a subject's time count again."""
        (subject_id,) = ids(request.name)
        subject = await self._engine.release(current_tenant(), subject_id)
        return subjects_pb2.ReleaseSubjectResponse(subject=convert.subject(subject))
