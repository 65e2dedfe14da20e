"""Gives the public contract as descriptors: services, calls, and the fields that a caller sends."""

from __future__ import annotations

from collections.abc import Iterator

from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor, ServiceDescriptor

from headshots.v1 import (
    adapters_pb2,
    audit_events_pb2,
    erasures_pb2,
    foundations_pb2,
    galleries_pb2,
    generator_pb2,
    images_pb2,
    jobs_pb2,
    labels_pb2,
    looks_pb2,
    packs_pb2,
    photos_pb2,
    profiles_pb2,
    shoots_pb2,
    styles_pb2,
    subjects_pb2,
    teams_pb2,
    tenants_pb2,
    trainer_pb2,
    trainings_pb2,
)
from headshots.validate import validate_pb2

FILES = (
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
SHARED_FILES = (adapters_pb2, jobs_pb2, labels_pb2)
SERVICES: dict[str, ServiceDescriptor] = {
    name: service for file in FILES for name, service in file.DESCRIPTOR.services_by_name.items()
}
CALLS: list[MethodDescriptor] = [method for service in SERVICES.values() for method in service.methods]
INTERNAL_CALLS: list[MethodDescriptor] = [
    method
    for file in (trainer_pb2, generator_pb2)
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
]


def messages() -> Iterator[Descriptor]:
    """Every message of the public contract, nested ones included."""
    waiting = [
        message for file in (*FILES, *SHARED_FILES) for message in file.DESCRIPTOR.message_types_by_name.values()
    ]
    while waiting:
        message = waiting.pop()
        yield message
        waiting.extend(nested for nested in message.nested_types if not nested.GetOptions().map_entry)


def name_of(call: MethodDescriptor) -> str:
    """The name of a call, for the ids of tests."""
    return str(call.name)


def is_map(field: FieldDescriptor) -> bool:
    """Whether a field is a map, whose entries protobuf has as messages."""
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def inputs(message: Descriptor, seen: set[str] | None = None) -> Iterator[FieldDescriptor]:
    """Every field that a caller can send within `message`, fields of fields included."""
    seen = set() if seen is None else seen
    if message.full_name in seen:
        return
    seen.add(message.full_name)
    for field in message.fields:
        yield field
        if not is_map(field) and field.message_type is not None and field.message_type.file.package == "headshots.v1":
            yield from inputs(field.message_type, seen)


def constraint(field: FieldDescriptor) -> validate_pb2.FieldRules:
    """The protovalidate rules of a field; empty where it has none."""
    return field.GetOptions().Extensions[validate_pb2.field]
