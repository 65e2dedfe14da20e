"""Converts labels and external ids between protobuf and what the SDK has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headshots.client.models.labels import Labelling
from headshots.v1 import labels_pb2


def wire_labelling(value: Labelling | None) -> dict[str, Any]:
    """The fields of a create or list request; None leaves them unset."""
    return {} if value is None else {"labels": dict(value.labels), "external_id": value.external_id}


def wire_change(labels: Mapping[str, str] | None, external_id: str | None) -> dict[str, Any]:
    """The fields of an update request; None leaves one unset."""
    whole = None if labels is None else labels_pb2.Labels(labels=labels)
    return {"labels": whole, "external_id": external_id}


def labelled(message: Any) -> dict[str, Any]:
    """The fields of a resource, from its message."""
    return {"labels": dict(message.labels), "external_id": message.external_id}
