"""The server frame through real gRPC: errors, constraints, authentication, metrics, health and reflection."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from headshots.errors import (
    InternalError,
    InvalidArgumentError,
    NotFoundError,
    ResourceExhaustedError,
    UnauthenticatedError,
)
from headshots.v1 import galleries_pb2, photos_pb2, subjects_pb2, tenants_pb2, trainings_pb2
from tests.integration.rpc.conftest import KEY, failure


async def test_a_raised_error_arrives_as_the_same_class_with_its_reason(stub: Any) -> None:
    error = await failure(stub.GetSubject(subjects_pb2.GetSubjectRequest(name="subjects/x"), metadata=KEY))
    assert isinstance(error, NotFoundError)
    assert (error.reason, error.message, error.metadata) == (
        "SUBJECT_NOT_FOUND",
        "no subjects/x",
        {"name": "subjects/x"},
    )


async def test_retry_after_survives_the_wire(stub: Any) -> None:
    error = await failure(stub.GetSubject(subjects_pb2.GetSubjectRequest(name="subjects/busy"), metadata=KEY))
    assert isinstance(error, ResourceExhaustedError)
    assert error.retry_after_seconds == 1.5


async def test_a_defect_tells_the_caller_nothing_of_the_inside(stub: Any, caplog: pytest.LogCaptureFixture) -> None:
    error = await failure(stub.GetSubject(subjects_pb2.GetSubjectRequest(name="subjects/defect"), metadata=KEY))
    assert isinstance(error, InternalError)
    assert "secret detail" not in error.message
    assert "secret detail" in caplog.text


async def test_constraints_name_each_bad_field(stub: Any) -> None:
    request = galleries_pb2.CreateGalleryRequest(parent="people/x", styles=["styles/a", "office"], shots_per_style=65)
    error = await failure(stub.CreateGallery(request, metadata=KEY))
    assert isinstance(error, InvalidArgumentError)
    assert error.reason == "CONSTRAINT_VIOLATED"
    assert {violation.field for violation in error.violations} == {"parent", "styles[1]", "shots_per_style"}


async def test_sixty_bad_names_keep_their_reason_and_tell_how_many_more_there_are(stub: Any) -> None:
    request = galleries_pb2.CreateGalleryRequest(parent="subjects/x", styles=[f"Bad name {n}" for n in range(60)])
    error = await failure(stub.CreateGallery(request, metadata=KEY))
    assert isinstance(error, InvalidArgumentError)
    assert error.reason == "CONSTRAINT_VIOLATED"
    # One more for their number.
    assert len(error.violations) + int(error.metadata["violations_left_out"]) == 61
    assert len(error.violations) > 10
    assert "styles[0]" in {violation.field for violation in error.violations}
    assert error.message.endswith("; and 56 more")


async def test_of_a_large_message_the_first_violation_is_enough(stub: Any) -> None:
    request = galleries_pb2.CreateGalleryRequest(parent="subjects/x", styles=["B" * 60 for n in range(2000)])
    error = await failure(stub.CreateGallery(request, metadata=KEY))
    assert (error.reason, len(error.violations)) == ("CONSTRAINT_VIOLATED", 1)


async def test_constraints_hold_within_a_client_stream(stub: Any) -> None:
    async def messages() -> AsyncIterator[photos_pb2.UploadPhotosRequest]:
        yield photos_pb2.UploadPhotosRequest(header=photos_pb2.UploadPhotosHeader(parent="subjects/a"))
        yield photos_pb2.UploadPhotosRequest(photo=photos_pb2.PhotoStart(size_bytes=-1))

    error = await failure(stub.UploadPhotos(messages(), metadata=KEY))
    assert isinstance(error, InvalidArgumentError)
    assert error.violations[0].field == "photo.size_bytes"


async def test_a_message_above_the_limit_is_refused(stub: Any) -> None:
    async def messages() -> AsyncIterator[photos_pb2.UploadPhotosRequest]:
        yield photos_pb2.UploadPhotosRequest(chunk=b"x" * (3 * 2**20))

    error = await failure(stub.UploadPhotos(messages(), metadata=KEY))
    assert isinstance(error, ResourceExhaustedError)
    assert error.reason == "MESSAGE_TOO_LARGE"


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [((), "API_KEY_MISSING"), ((("authorization", "Bearer hs_bad"),), "API_KEY_UNKNOWN")],
)
async def test_a_missing_or_wrong_key_is_refused_on_every_kind_of_call(stub: Any, metadata: Any, reason: str) -> None:
    name = "subjects/a/trainings/b"
    watch = stub.WatchTraining(trainings_pb2.WatchTrainingRequest(name=name), metadata=metadata)
    for call in (stub.GetTenant(tenants_pb2.GetTenantRequest(), metadata=metadata), watch.read()):
        error = await failure(call)
        assert isinstance(error, UnauthenticatedError)
        assert error.reason == reason


async def test_the_tenant_reaches_unary_and_streaming_handlers(stub: Any) -> None:
    answer = await stub.GetTenant(tenants_pb2.GetTenantRequest(), metadata=(("x-api-key", "hs_good"),))
    assert answer.tenant.name == "tenants/acme"
    watch = stub.WatchTraining(trainings_pb2.WatchTrainingRequest(name="subjects/a/trainings/b"), metadata=KEY)
    assert (await watch.read()).training.name == "acme"
    assert (await failure(watch.read())).reason == "TRAINING_NOT_FOUND"
