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
        for name, help_text, _ in _AGES:
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
        for name, help_text, age in _AGES:
            try:
                yield GaugeMetricFamily(name, help_text, value=age(self._engine))
            except HeadshotsError:
                _LOG.exception("%s cannot be read; left out of this scrape", name)


def _overdue_seconds(engine: Engine) -> float:
    with read(engine) as connection:
        late = now_expression(engine.dialect.name) - sa.func.min(retentions.c.expires_at)
        longest = connection.execute(sa.select(late).where(retentions.c.held_at.is_(None))).scalar()
    return max(0.0, longest or 0.0)


def _unsigned_seconds(engine: Engine) -> float:
    with read(engine) as connection:
        age = now_expression(engine.dialect.name) - sa.func.min(erasures.c.created_at)
        longest = connection.execute(sa.select(age).where(erasures.c.signed_at.is_(None))).scalar()
    return max(0.0, longest or 0.0)


_AGES = (
    (
        "headshots_gateway_retention_overdue_seconds",
        "For how long the subject that should have been erased first is overdue, in seconds; 0 where none is.",
        _overdue_seconds,
    ),
    (
        "headshots_gateway_erasure_unsigned_seconds",
        "For how long the oldest erasure that began waits for its receipt, in seconds; 0 where none does.",
        _unsigned_seconds,
    ),
)
_FAMILIES = (
    ("headshots_gateway_galleries", "Galleries that wait or run, by state.", galleries),
    ("headshots_gateway_trainings", "Trainings that wait or run, by state.", trainings),
    ("headshots_gateway_shoots_rows", "Shoots that wait or run, by state.", shoots),
    ("headshots_gateway_shots_rows", "Shots that wait or run, by state.", shots),
)
