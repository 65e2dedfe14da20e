"""Converts labels and external ids between protobuf and what the SDK has."""

from __future__ import annotations

from typing import Any

from headshots.client.models.labels import Labelling


def wire_labelling(value: Labelling | None) -> dict[str, Any]:
    """The fields of a create or list request; None leaves them unset."""
    return {} if value is None else {"labels": dict(value.labels), "external_id": value.external_id}


def labelled(message: Any) -> dict[str, Any]:
    """The fields of a resource, from its message."""
    return {"labels": dict(message.labels), "external_id": message.external_id}
