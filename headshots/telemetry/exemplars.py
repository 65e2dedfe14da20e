"""Observes histograms with the trace that the observation is of, so that a dashboard leads from a bar to a trace."""

from __future__ import annotations

from typing import Protocol

from headshots.telemetry import spans


class Observed(Protocol):
    """A histogram of prometheus_client, which the client SDK's installation lacks."""

    def observe(self, amount: float, exemplar: dict[str, str] | None = None) -> None:
        """Counts an amount."""


def observe(histogram: Observed, amount: float, span: spans.Span | None = None) -> None:
    """Counts ``amount``, with ``span`` as its exemplar (None: the one that this task or thread is in) if that is kept.

    Prometheus sees exemplars where it asks for OpenMetrics, as it does by itself, and keeps them with
    ``--enable-feature=exemplar-storage``.
    """
    histogram.observe(amount, exemplar=(span or spans.current()).exemplar)
