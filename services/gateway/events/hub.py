"""Wakes the watchers of a training or gallery in this process when it changes, and sends them previews.

Changes of other processes are found by polling, so every wait has a time limit. Use from the event loop only.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict, deque
from collections.abc import Iterator

from headshots.pauses import pause
from services.gateway.events.models import ShotPreview

# Previews kept for a slow watcher; older ones are dropped.
_MAX_PREVIEWS = 64


class Subscription:
    """One watcher."""

    def __init__(self, wants_previews: bool) -> None:
        self.wants_previews = wants_previews
        self._woken = asyncio.Event()
        self._previews: deque[ShotPreview] = deque(maxlen=_MAX_PREVIEWS)

    async def wait(self, seconds: float) -> list[ShotPreview]:
        """Waits for a change or until the time is up; the previews since the last wait."""
        await pause(self._woken, seconds)
        self._woken.clear()
        previews = list(self._previews)
        self._previews.clear()
        return previews

    def wake(self, preview: ShotPreview | None = None) -> None:
        """Ends the wait; a `preview` is among what it returns."""
        if preview is not None:
            self._previews.append(preview)
        self._woken.set()


class Hub:
    """Subscriptions by the id of what they watch."""

    def __init__(self) -> None:
        self._subscriptions: defaultdict[str, set[Subscription]] = defaultdict(set)

    @contextlib.contextmanager
    def subscribe(self, topic: str, *, previews: bool = False) -> Iterator[Subscription]:
        """Watches `topic` within the block."""
        subscription = Subscription(previews)
        self._subscriptions[topic].add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions[topic].discard(subscription)
            if not self._subscriptions[topic]:
                del self._subscriptions[topic]

    def changed(self, topic: str) -> None:
        """Wakes all who watch `topic`."""
        for subscription in self._subscriptions.get(topic, ()):
            subscription.wake()

    def wants_previews(self, topic: str) -> bool:
        """Whether a watcher of `topic` in this process asked for previews."""
        return any(subscription.wants_previews for subscription in self._subscriptions.get(topic, ()))

    def preview(self, topic: str, preview: ShotPreview) -> None:
        """Sends the preview to the watchers of `topic` that asked for previews."""
        for subscription in self._subscriptions.get(topic, ()):
            if subscription.wants_previews:
                subscription.wake(preview)
