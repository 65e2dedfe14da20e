"""Keeps what callers write on their resources to find them again: labels and an external id; the same for every kind.

A table of such resources has the columns `labels` (JSON) and `external_id`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Row


@dataclass(frozen=True)
class Labelling:
    """Labels and external id of a resource, or those that a list asks for."""

    labels: Mapping[str, str] = field(default_factory=dict)
    external_id: str = ""
    """Empty: none, or whichever."""

    @classmethod
    def of_request(cls, request: Any) -> Labelling:
        """What a create or list request says; it has the fields `labels` and `external_id`."""
        return cls(dict(request.labels), request.external_id)

    @classmethod
    def of_row(cls, row: Row[Any]) -> Labelling:
        """From a row."""
        return cls(row.labels, row.external_id)

    @property
    def fields(self) -> dict[str, Any]:
        """Columns of a row; fields of a message too."""
        return {"labels": dict(self.labels), "external_id": self.external_id}

    @property
    def of_parts(self) -> Labelling:
        """What the training and the gallery of a shoot get: its labels. The external id is the shoot's alone, so that
        who looks for it finds one resource of the caller's own, and no parts."""
        return Labelling(self.labels)

    def where(self, table: sa.Table | sa.Subquery) -> sa.ColumnElement[bool]:
        """Selects the rows that have all of these labels, and this external id where there is one.

        The labels' keys keep the contract's pattern, which needs no quoting in a JSON path.
        """
        wanted = [table.c.labels[key].as_string() == value for key, value in self.labels.items()]
        if self.external_id:
            wanted.append(table.c.external_id == self.external_id)
        return sa.and_(sa.true(), *wanted)

    def selects(self, other: Labelling) -> bool:
        """What `where` tells of a row, of what is in memory."""
        return self.labels.items() <= other.labels.items() and self.external_id in ("", other.external_id)

    @property
    def selects_all(self) -> bool:
        """Whether a list that asks for this leaves nothing out."""
        return not self.labels and not self.external_id


NO_LABELS = Labelling()
"""Of what nobody has labelled."""


@dataclass(frozen=True)
class LabellingChange:
    """What a caller changes of a resource that exists; None stays as it is."""

    labels: Mapping[str, str] | None = None
    """In place of all labels."""
    external_id: str | None = None
    """Empty: none from now on."""

    @classmethod
    def of_request(cls, request: Any) -> LabellingChange:
        """What an update request says; it has the optional fields `labels` and `external_id`."""
        return cls(
            labels=dict(request.labels.labels) if request.HasField("labels") else None,
            external_id=request.external_id if request.HasField("external_id") else None,
        )

    @property
    def columns(self) -> dict[str, Any]:
        """Values of the row that change."""
        return {name: value for name, value in vars(self).items() if value is not None}
