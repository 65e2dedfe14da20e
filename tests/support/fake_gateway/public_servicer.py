"""Defines a base for fakes of the gateway: one object that may answer the calls of every public service."""

from __future__ import annotations

import grpc.aio

from headshots.client.stub import METHODS
from headshots.v1 import (
    audit_events_pb2_grpc,
    erasures_pb2_grpc,
    foundations_pb2_grpc,
    galleries_pb2_grpc,
    images_pb2_grpc,
    looks_pb2_grpc,
    packs_pb2_grpc,
    photos_pb2_grpc,
    profiles_pb2_grpc,
    shoots_pb2_grpc,
    styles_pb2_grpc,
    subjects_pb2_grpc,
    teams_pb2_grpc,
    tenants_pb2_grpc,
    trainings_pb2_grpc,
)


class PublicServicer(
    tenants_pb2_grpc.TenantServiceServicer,
    subjects_pb2_grpc.SubjectServiceServicer,
    photos_pb2_grpc.PhotoServiceServicer,
    trainings_pb2_grpc.TrainingServiceServicer,
    galleries_pb2_grpc.GalleryServiceServicer,
    styles_pb2_grpc.StyleServiceServicer,
    foundations_pb2_grpc.FoundationServiceServicer,
    packs_pb2_grpc.PackServiceServicer,
    profiles_pb2_grpc.ProfileServiceServicer,
    shoots_pb2_grpc.ShootServiceServicer,
    audit_events_pb2_grpc.AuditEventServiceServicer,
    erasures_pb2_grpc.ErasureServiceServicer,
    images_pb2_grpc.ImageServiceServicer,
    looks_pb2_grpc.LookServiceServicer,
    teams_pb2_grpc.TeamServiceServicer,
):
    """Calls that a subclass does not answer are UNIMPLEMENTED."""

    def register(self, server: grpc.aio.Server) -> list[str]:
        """Adds every public service to a server; their full names."""
        tenants_pb2_grpc.add_TenantServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        subjects_pb2_grpc.add_SubjectServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        photos_pb2_grpc.add_PhotoServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        trainings_pb2_grpc.add_TrainingServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        galleries_pb2_grpc.add_GalleryServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        styles_pb2_grpc.add_StyleServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        foundations_pb2_grpc.add_FoundationServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        packs_pb2_grpc.add_PackServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        profiles_pb2_grpc.add_ProfileServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        shoots_pb2_grpc.add_ShootServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        audit_events_pb2_grpc.add_AuditEventServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        erasures_pb2_grpc.add_ErasureServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        images_pb2_grpc.add_ImageServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        looks_pb2_grpc.add_LookServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        teams_pb2_grpc.add_TeamServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        return list(METHODS)
