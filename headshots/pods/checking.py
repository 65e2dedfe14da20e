"""What `headshots doctor` looks at in a pod that tells its deletion cost."""

from __future__ import annotations

from headshots.doctor.findings import Finding, ok, skipped
from headshots.doctor.running import Check
from headshots.pods.api import PodApi
from headshots.pods.deletion_cost import ANNOTATION
from headshots.pods.settings import PodSettings


def pod_check(settings: PodSettings) -> Check:
    """Whether the pod may annotate itself."""
    return Check(
        "deletion cost",
        lambda: _look(settings),
        "apply deploy/k8s/components/idle-first (docs/operations.md, Kubernetes), or unset HEADSHOTS_POD_NAME",
    )


def _look(settings: PodSettings) -> Finding:
    if settings.name is None:
        return skipped("HEADSHOTS_POD_NAME is not set: Kubernetes is not told which pods are idle")
    PodApi(settings).annotate(ANNOTATION, "0", dry_run=True)
    return ok(f"the pod {settings.name} may annotate itself at {settings.api_url}")
