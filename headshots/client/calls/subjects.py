"""Calls the gateway about subjects."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from headshots.client.connection import Connection, new_request_id
from headshots.client.convert import subjects as convert
from headshots.client.convert.labels import wire_change, wire_labelling
from headshots.client.models.labels import Labelling
from headshots.client.models.subjects import Subject, SubjectRef
from headshots.client.names import Kind, resource_name
from headshots.v1 import subjects_pb2


class SubjectCalls(Connection):
    """People."""

    async def create_subject(
        self,
        display_name: str = "",
        *,
        class_noun: str = "person",
        labelling: Labelling | None = None,
        request_id: str | None = None,
    ) -> Subject:
        """Make a subject.

        Args:
            display_name: for people, at most 128 characters.
            class_noun: the word the foundation knows such a person by: man, woman, person …
            labelling: labels and an external id of your own.
            request_id: the same id with the same arguments answers the same subject; default a new one.
        """
        request = subjects_pb2.CreateSubjectRequest(
            display_name=display_name,
            class_noun=class_noun,
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

    async def list_subjects(self, *, labelling: Labelling | None = None, page_size: int = 0) -> AsyncIterator[Subject]:
        """All subjects, newest first; pages are fetched as they are needed."""
        request = subjects_pb2.ListSubjectsRequest(page_size=page_size, **wire_labelling(labelling))
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

    async def delete_subject(self, subject: SubjectRef) -> int:
        """Erase the subject with its photos, adapters and images; answers how many objects were removed.

        Raises:
            FailedPreconditionError: a training or a gallery of it still runs.
        """
        request = subjects_pb2.DeleteSubjectRequest(name=resource_name(subject, Kind.SUBJECT))
        return int((await self._unary("DeleteSubject", request)).deleted_objects)
