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
from headshots.schema import PENDING, RUNNING, galleries, retentions, shoots, shots, trainings

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
        yield GaugeMetricFamily(*_OVERDUE)

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
        try:
            yield GaugeMetricFamily(*_OVERDUE, value=_overdue_seconds(self._engine))
        except HeadshotsError:
            _LOG.exception("%s cannot be read; left out of this scrape", _OVERDUE[0])


def _overdue_seconds(engine: Engine) -> float:
    with read(engine) as connection:
        late = now_expression(engine.dialect.name) - sa.func.min(retentions.c.expires_at)
        longest = connection.execute(sa.select(late).where(retentions.c.held_at.is_(None))).scalar()
    return max(0.0, longest or 0.0)


_OVERDUE = (
    "headshots_gateway_retention_overdue_seconds",
    "For how long the subject that should have been erased first is overdue, in seconds; 0 where none is.",
)
_FAMILIES = (
    ("headshots_gateway_galleries", "Galleries that wait or run, by state.", galleries),
    ("headshots_gateway_trainings", "Trainings that wait or run, by state.", trainings),
    ("headshots_gateway_shoots_rows", "Shoots that wait or run, by state.", shoots),
    ("headshots_gateway_shots_rows", "Shots that wait or run, by state.", shots),
)
