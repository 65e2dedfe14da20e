"""Answers the calls about the tenant and its subjects."""

from __future__ import annotations

from typing import Any

from headshots.v1 import subjects_pb2, tenants_pb2
from tests.support.fake_gateway.state import FakeState, find, labelled, page, relabel


class FakeSubjects(FakeState):
    """The tenant and its subjects."""

    async def GetTenant(self, request: tenants_pb2.GetTenantRequest, context: Any) -> tenants_pb2.GetTenantResponse:
        self.enter("GetTenant", request)
        return tenants_pb2.GetTenantResponse(tenant=tenants_pb2.Tenant(name="tenants/t1", display_name="Test"))

    async def CreateSubject(
        self, request: subjects_pb2.CreateSubjectRequest, context: Any
    ) -> subjects_pb2.CreateSubjectResponse:
        self.enter("CreateSubject", request)
        name = self.by_request_id.setdefault(request.request_id, f"subjects/s{len(self.subjects)}")
        if name not in self.subjects:
            subject = subjects_pb2.Subject(name=name, class_noun=request.class_noun, **labelled(request))
            subject.display_name = request.display_name
            subject.create_time.GetCurrentTime()
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
        items, token = page(list(self.subjects.values())[::-1], request)
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
        find(self.subjects, request.name, "SUBJECT_NOT_FOUND")
        del self.subjects[request.name]
        return subjects_pb2.DeleteSubjectResponse(deleted_objects=len(self.photos.pop(request.name)))
