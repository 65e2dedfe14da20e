"""Tells Kubernetes what would be lost with this pod, so that scaling down takes idle ones.

Of the pods of a ReplicaSet those with the lowest ``controller.kubernetes.io/pod-deletion-cost`` go first; one without
the annotation counts as 0 (https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#pod-deletion-cost).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from headshots.errors import HeadshotsError
from headshots.pods.api import PodApi
from headshots.pods.settings import PodSettings

ANNOTATION = "controller.kubernetes.io/pod-deletion-cost"
SECONDS = 5.0
"""Between two calls at most: Kubernetes' page on it warns of writing pods often."""
_LOG = logging.getLogger(__name__)


class DeletionCost:
    """Keeps the annotation up to date, in a thread that holds up neither the service nor its end."""

    def __init__(self, api: PodApi, work: Callable[[], int], *, seconds: float = SECONDS) -> None:
        """``work``: how much runs now, 0 if nothing; called from another thread. ``seconds``: between two looks."""
        self._api, self._work, self._seconds = api, work, seconds
        self._told: int | None = None
        self._refusal: str | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="deletion-cost", daemon=True)

    def start(self) -> None:
        """Tell now, as an earlier container of the pod may have told something, and then whenever it has changed."""
        self._thread.start()

    def stop(self) -> None:
        """End within the call that runs."""
        self._stopping.set()

    def _run(self) -> None:
        while True:
            self._look()
            if self._stopping.wait(self._seconds):
                return

    def _look(self) -> None:
        """Tell a change. Where that fails the service goes on, it is logged once, and the next look tries again."""
        cost = self._work()
        if cost == self._told:
            return
        try:
            self._api.annotate(ANNOTATION, str(cost))
        except HeadshotsError as error:
            if error.reason != self._refusal:
                _LOG.warning("Kubernetes may take this pod while it works, as its deletion cost is not told: %s", error)
            self._refusal, self._told = error.reason, None
            return
        if self._refusal is not None:
            _LOG.info("the pod's deletion cost is told again")
        self._refusal, self._told = None, cost


def begin(settings: PodSettings, work: Callable[[], int]) -> DeletionCost | None:
    """Start it; None outside a pod."""
    if settings.name is None:
        return None
    cost = DeletionCost(PodApi(settings), work)
    cost.start()
    return cost
