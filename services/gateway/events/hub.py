"""Wakes the watchers of a job when it changes, and sends them previews.

Changes of this process are told; those of other processes the `poller` finds. Use from the event loop only.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping

from headshots.errors import HeadshotsError
from services.gateway.events.models import ShotPreview

# Previews kept for a slow watcher; older ones are dropped.
_MAX_PREVIEWS = 64


class Subscription:
    """One watcher."""

    def __init__(self, kind: str, wants_previews: bool) -> None:
        self.kind = kind
        self.wants_previews = wants_previews
        self.seen: int | None = None
        """The revision that the watcher has read last; None before it has read any."""
        self._woken = asyncio.Event()
        self._previews: deque[ShotPreview] = deque(maxlen=_MAX_PREVIEWS)
        self._failure: HeadshotsError | None = None

    async def wait(self, seen: int) -> list[ShotPreview]:
        """Waits for a change since revision `seen` was read; the previews since the last wait.

        Raises:
            UnavailableError: DATABASE_UNAVAILABLE, changes of other processes cannot be looked for.
        """
        self.seen = seen
        await self._woken.wait()
        self._woken.clear()
        if self._failure is not None:
            raise self._failure
        previews = list(self._previews)
        self._previews.clear()
        return previews

    def wake(self, preview: ShotPreview | None = None) -> None:
        """Ends the wait; a `preview` is among what it returns."""
        if preview is not None:
            self._previews.append(preview)
        self._woken.set()

    def fail(self, error: HeadshotsError) -> None:
        """Ends the watch."""
        self._failure = error
        self._woken.set()


class Hub:
    """Subscriptions by the id of what they watch."""

    def __init__(self) -> None:
        self._subscriptions: defaultdict[str, set[Subscription]] = defaultdict(set)
        self._listeners: list[Callable[[str], None]] = []

    def listen(self, listener: Callable[[str], None]) -> None:
        """Calls `listener` with whatever `changed` tells of, for as long as the hub lives."""
        self._listeners.append(listener)

    @contextlib.contextmanager
    def subscribe(self, topic: str, *, kind: str, previews: bool = False) -> Iterator[Subscription]:
        """Watches `topic` within the block; `kind` tells the poller which table it is in."""
        subscription = Subscription(kind, previews)
        self._subscriptions[topic].add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions[topic].discard(subscription)
            if not self._subscriptions[topic]:
                del self._subscriptions[topic]

    def changed(self, topic: str) -> None:
        """Wakes all who watch `topic`, and tells the listeners."""
        for subscription in self._subscriptions.get(topic, ()):
            subscription.wake()
        for listener in self._listeners:
            listener(topic)

    def wants_previews(self, topic: str) -> bool:
        """Whether a watcher of `topic` in this process asked for previews."""
        return any(subscription.wants_previews for subscription in self._subscriptions.get(topic, ()))

    def preview(self, topic: str, preview: ShotPreview) -> None:
        """Sends the preview to the watchers of `topic` that asked for previews."""
        for subscription in self._subscriptions.get(topic, ()):
            if subscription.wants_previews:
                subscription.wake(preview)

    def watched(self, kind: str) -> list[str]:
        """What watchers have read and wait for changes of."""
        return [topic for topic in self._subscriptions if self._waiting(topic, kind)]

    def compare(self, kind: str, topics: list[str], revisions: Mapping[str, int]) -> None:
        """Wakes the watchers of `topics` that have read another revision, or whose topic is there no more."""
        for topic in topics:
            for subscription in self._waiting(topic, kind):
                if subscription.seen != revisions.get(topic):
                    subscription.wake()

    def fail(self, kind: str, error: HeadshotsError) -> None:
        """Ends the watches of everything of this kind."""
        for topic in self.watched(kind):
            for subscription in self._waiting(topic, kind):
                subscription.fail(error)

    def _waiting(self, topic: str, kind: str) -> list[Subscription]:
        found = self._subscriptions.get(topic, ())
        return [each for each in found if each.kind == kind and each.seen is not None]
