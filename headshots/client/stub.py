"""Joins the stubs of all public services to one, as the names of their calls are distinct."""

from __future__ import annotations

from typing import Any

import grpc.aio

from headshots.v1 import (
    audit_events_pb2,
    audit_events_pb2_grpc,
    erasures_pb2,
    erasures_pb2_grpc,
    foundations_pb2,
    foundations_pb2_grpc,
    galleries_pb2,
    galleries_pb2_grpc,
    images_pb2,
    images_pb2_grpc,
    looks_pb2,
    looks_pb2_grpc,
    packs_pb2,
    packs_pb2_grpc,
    photos_pb2,
    photos_pb2_grpc,
    profiles_pb2,
    profiles_pb2_grpc,
    shoots_pb2,
    shoots_pb2_grpc,
    styles_pb2,
    styles_pb2_grpc,
    subjects_pb2,
    subjects_pb2_grpc,
    teams_pb2,
    teams_pb2_grpc,
    tenants_pb2,
    tenants_pb2_grpc,
    trainings_pb2,
    trainings_pb2_grpc,
)

_STUBS: tuple[Any, ...] = (
    tenants_pb2_grpc.TenantServiceStub,
    subjects_pb2_grpc.SubjectServiceStub,
    photos_pb2_grpc.PhotoServiceStub,
    trainings_pb2_grpc.TrainingServiceStub,
    galleries_pb2_grpc.GalleryServiceStub,
    styles_pb2_grpc.StyleServiceStub,
    foundations_pb2_grpc.FoundationServiceStub,
    packs_pb2_grpc.PackServiceStub,
    profiles_pb2_grpc.ProfileServiceStub,
    shoots_pb2_grpc.ShootServiceStub,
    audit_events_pb2_grpc.AuditEventServiceStub,
    erasures_pb2_grpc.ErasureServiceStub,
    images_pb2_grpc.ImageServiceStub,
    looks_pb2_grpc.LookServiceStub,
    teams_pb2_grpc.TeamServiceStub,
)
_FILES = (
    tenants_pb2,
    subjects_pb2,
    photos_pb2,
    trainings_pb2,
    galleries_pb2,
    styles_pb2,
    foundations_pb2,
    packs_pb2,
    profiles_pb2,
    shoots_pb2,
    audit_events_pb2,
    erasures_pb2,
    images_pb2,
    looks_pb2,
    teams_pb2,
)

METHODS: dict[str, tuple[str, ...]] = {
    service.full_name: tuple(method.name for method in service.methods)
    for file in _FILES
    for service in file.DESCRIPTOR.services_by_name.values()
}
"""Names of the calls by the full name of their service, as `headshots.v1.SubjectService`."""
_SERVICES = {method: service for service, methods in METHODS.items() for method in methods}


def full_name(method: str) -> str:
    """``package.Service/Method`` of a call."""
    return f"{_SERVICES[method]}/{method}"


class GatewayStub:
    """Has one attribute for each call, as `stub.CreateSubject`, whichever service it belongs to."""

    def __init__(self, channel: grpc.aio.Channel | grpc.Channel) -> None:
        for stub in _STUBS:
            # A generated stub's initializer sets one attribute for each call on the object that it is given.
            stub.__init__(self, channel)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"the public API has no call {name}")
