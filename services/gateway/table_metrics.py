"""Reads the gateway's metrics of the whole installation from its database at scrape time."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import sqlalchemy as sa
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.engine import Engine

from headshots.database import now_expression, read
from headshots.errors import HeadshotsError
from headshots.schema import PENDING, RUNNING, erasures, galleries, retentions, shoots, shots, trainings

_LOG = logging.getLogger(__name__)
# Rows that ended are not counted: their number grows without end.
_STATES = (PENDING, RUNNING)


class TableCollector(Collector):
    """Counts rows that wait or run. Every gateway reports the same numbers: take their maximum, not their sum."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Names only, so that registering reads no database."""
        for name, help_text, _ in _FAMILIES:
            yield GaugeMetricFamily(name, help_text, labels=("state",))
        for name, help_text, _ in _LONGEST:
            yield GaugeMetricFamily(name, help_text)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The current counts; runs in the metrics server's thread."""
        for name, help_text, table in _FAMILIES:
            family = GaugeMetricFamily(name, help_text, labels=("state",))
            try:
                with read(self._engine) as connection:
                    query = sa.select(table.c.state, sa.func.count()).where(table.c.state.in_(_STATES))
                    rows = connection.execute(query.group_by(table.c.state))
                    counts = {row[0]: int(row[1]) for row in rows}
            except HeadshotsError:
                _LOG.exception("%s cannot be counted; left out of this scrape", name)
                continue
            for state in _STATES:
                family.add_metric((state,), counts.get(state, 0))
            yield family
        for name, help_text, first in _LONGEST:
            try:
                yield GaugeMetricFamily(name, help_text, value=_seconds_since(self._engine, first))
            except HeadshotsError:
                _LOG.exception("%s cannot be read; left out of this scrape", name)


def _seconds_since(engine: Engine, first: sa.Select[tuple[float]]) -> float:
    with read(engine) as connection:
        longest = now_expression(engine.dialect.name) - first.scalar_subquery()
        return max(0.0, connection.execute(sa.select(longest)).scalar() or 0.0)


_LONGEST = (
    (
        "headshots_gateway_retention_overdue_seconds",
        "For how long the subject that should have been erased first is overdue, in seconds; 0 where none is.",
        sa.select(sa.func.min(retentions.c.expires_at)).where(retentions.c.held_at.is_(None)),
    ),
    (
        "headshots_gateway_unsigned_erasure_seconds",
        "For how long the erasure that was asked for first has had no receipt, in seconds; 0 where each has one.",
        sa.select(sa.func.min(erasures.c.created_at)).where(erasures.c.signed_at.is_(None)),
    ),
)
_FAMILIES = (
    ("headshots_gateway_galleries", "Galleries that wait or run, by state.", galleries),
    ("headshots_gateway_trainings", "Trainings that wait or run, by state.", trainings),
    ("headshots_gateway_shoots_rows", "Shoots that wait or run, by state.", shoots),
    ("headshots_gateway_shots_rows", "Shots that wait or run, by state.", shots),
)
