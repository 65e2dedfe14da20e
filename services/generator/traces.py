"""The spans of a running request, and of the networks' calls that it shares with others.

A call of a network has one span, part of the first request's trace and linked to every request in it; and each
request's `denoise` is linked to the UNet calls that it was in. So every trace leads to the calls that it waited for.
"""

from __future__ import annotations

from collections.abc import Sequence

from headshots.telemetry import spans
from headshots.telemetry.spans import Span


class JobTrace:
    """Made where the request comes in: its spans are part of the one that this task is in.

    Not thread-safe: the batch loop's lock is held.
    """

    def __init__(self) -> None:
        self.call = spans.current()
        """The request's own span."""
        self._stage = spans.span("queue")
        self._has_started = False

    def started(self) -> None:
        """An image has rows."""
        if not self._has_started:
            self._has_started = True
            self._stage.end()
            self._stage = spans.span("denoise", parent=self.call)

    def stepped(self, call: Span) -> None:
        """It was in a UNet call."""
        self._stage.link(call)

    def ended(self) -> None:
        """The last image has left the batch, or the request has ended. May be repeated."""
        self._stage.end()
        self._stage = spans.OFF


def network_call(name: str, requests: Sequence[JobTrace], *, steps: Sequence[int] = ()) -> Span:
    """Starts the span of one call of a network for several requests.

    Args:
        name: `unet` or `decode`.
        requests: of each image.
        steps: how many steps each image had done before.
    """
    if not spans.is_on():
        return spans.OFF
    calls = list({id(each): each.call for each in requests}.values())
    # The first whose trace is kept, or a call between others' requests would be seen by nobody.
    parent = next((call for call in calls if call.exemplar is not None), calls[0])
    call = spans.span(name, parent=parent, links=calls, images=len(requests))
    if steps:
        call.set(steps=list(steps))
    return call
