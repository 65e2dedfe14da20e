"""Counts how good the painted images are, by foundation, so that a worse model is seen while it is rolled out.

No label names a subject or a tenant: a foundation is the begin of its digest, of which an installation runs a few, and
a tenant's own profiles, whose number has no bound, share one value.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram

from headshots.acceptance.profiles import BUILT_IN
from headshots.acceptance.verdict import Acceptance, Verdict
from headshots.telemetry.exemplars import observe

OWN_PROFILE = "own"
"""In place of the name of a profile that a tenant made."""
# As the doctor writes digests.
_DIGITS = 12
_LABELS = ("foundation", "profile")
# Cosines: two people are around 0, one person's portraits from 0.4 (`people`) or 0.7 (`bundled`) on.
_LIKENESS_BUCKETS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


class QualityMetrics:
    """Of the images that one gateway judged, those too that another seed replaces."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._verdicts = Counter(
            "headshots_gateway_image_verdicts",
            "Images that were judged, by reason: ACCEPTED, NOT_MEASURED, or the first check that refused it; settled:"
            " whether the shot ended with it, and not another seed was tried.",
            (*_LABELS, "reason", "settled"),
            registry=registry,
        )
        self._likeness = Histogram(
            "headshots_gateway_image_likeness",
            "Likeness of the images that were judged to their person's photos, a cosine; images without a face have"
            " none.",
            _LABELS,
            registry=registry,
            buckets=_LIKENESS_BUCKETS,
        )

    def expects(self, foundation_digest: str, profile: str) -> None:
        """Makes the series of an image before it is painted: to Prometheus a new series' first value is no increase."""
        labels = _labels(foundation_digest, profile)
        self._likeness.labels(*labels)
        for acceptance in (Acceptance.ACCEPTED, Acceptance.NOT_MEASURED):
            for settled in (True, False):
                self._verdicts.labels(*labels, acceptance.name, _text(settled))

    def judged(self, foundation_digest: str, verdict: Verdict, likeness: float | None, *, settled: bool) -> None:
        """Counts an image."""
        labels = _labels(foundation_digest, verdict.profile)
        self._verdicts.labels(*labels, reason_of(verdict), _text(settled)).inc()
        if likeness is not None:
            observe(self._likeness.labels(*labels), likeness)


def reason_of(verdict: Verdict) -> str:
    """One word for a verdict: that of the first check that was measured and refuses, else the outcome."""
    if verdict.acceptance is not Acceptance.REFUSED:
        return verdict.acceptance.name
    return next(check.reason for check in verdict.checks if not check.passed and check.measured is not None)


def _labels(foundation_digest: str, profile: str) -> tuple[str, str]:
    return foundation_digest[:_DIGITS], profile if profile in BUILT_IN else OWN_PROFILE


def _text(value: bool) -> str:
    return "true" if value else "false"
