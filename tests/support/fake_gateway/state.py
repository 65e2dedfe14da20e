"""Keeps the resources of one tenant in memory, and the switches that tests turn."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from headshots.errors import CancelledByCallerError, NotFoundError, PermissionDeniedError, UnavailableError
from headshots.v1 import galleries_pb2, jobs_pb2, photos_pb2, shoots_pb2, subjects_pb2, trainings_pb2
from tests.support.fake_gateway.public_servicer import PublicServicer


class FakeState(PublicServicer):
    """The state that the calls of all resources share.

    Jobs advance while they are watched. `calls` counts calls by method; `unavailable` makes the next calls of a method
    fail; `cut_after` ends the next watch after so many messages, as a server that dies does; `hold_watches` stops
    trainings after a watch's first message, and `held` tells that it did; without `cancels_at_once` a training hears of
    a cancellation and goes on.
    """

    def __init__(self) -> None:
        self.missing_bytes = 0
        """A download ends so many bytes early."""
        self.subjects: dict[str, subjects_pb2.Subject] = {}
        self.photos: dict[str, list[photos_pb2.Photo]] = {}
        self.trainings: dict[str, trainings_pb2.Training] = {}
        self.galleries: dict[str, galleries_pb2.Gallery] = {}
        self.shoots: dict[str, list[shoots_pb2.WatchShootResponse]] = {}
        """The events of each, the first numbered 1."""
        self.refused_shots: set[int] = set()
        """Numbers of shots that no try makes good enough."""
        self.measures = True
        """Whether there is an analyzer of faces."""
        self.quotes = True
        """Whether anything has been measured that shoots are quoted by."""
        self.policy: dict[str, int] = {}
        """What the tenant says of retention in place of defaults."""
        self.requires_consent = False
        """Whether nobody is trained who did not agree."""
        self.high_granted = False
        """Whether the tenant may ask for high priority."""
        self.one_training_at_a_time = False
        """Whether a shoot is refused while another trains the same subject."""
        self.by_request_id: dict[str, str] = {}
        self.requests: list[Any] = []
        self.calls: Counter[str] = Counter()
        self.unavailable: Counter[str] = Counter()
        self.cancelled: Counter[str] = Counter()
        """As `unavailable`, of a gateway that ends before the call does."""
        self.cut_after: list[int] = []
        self.training_failure: jobs_pb2.Failure | None = None
        self.gallery_failure: jobs_pb2.Failure | None = None
        self.hold_watches = False
        self.cancels_at_once = True
        self.held = threading.Event()

    def enter(self, method: str, request: Any = None) -> None:
        """Count and keep a call, and fail it where the test wants that."""
        self.calls[method] += 1
        self.requests.append(request)
        if self.unavailable[method] > 0:
            self.unavailable[method] -= 1
            raise UnavailableError("GATEWAY_STARTING", "the gateway is starting; try again")
        if self.cancelled[method] > 0:
            self.cancelled[method] -= 1
            raise CancelledByCallerError("CALL_CANCELLED", "the server ended")
        if getattr(request, "priority", 0) == jobs_pb2.PRIORITY_HIGH and not self.high_granted:
            told = "high priority is a right that your tenant does not have; have the operator grant it"
            raise PermissionDeniedError("PRIORITY_NOT_GRANTED", told)


def find(where: Mapping[str, Any], name: str, reason: str) -> Any:
    """The resource of that name, or NotFoundError."""
    if name not in where:
        raise NotFoundError(reason, f"there is no {name}", metadata={"name": name})
    return where[name]


def page(items: Sequence[Any], request: Any) -> tuple[Sequence[Any], str]:
    """One page of a list, and the token of the next."""
    if "labels" in request.DESCRIPTOR.fields_by_name:
        items = [each for each in items if _matches(each, request)]
    start = int(request.page_token or 0)
    stop = start + (request.page_size or 50)
    return items[start:stop], str(stop) if stop < len(items) else ""


def labelled(request: Any) -> dict[str, Any]:
    """The labels and the external id that a resource gets."""
    return {"labels": dict(request.labels), "external_id": request.external_id}


def relabel(resource: Any, request: Any) -> None:
    """Changes the labels and the external id that an update request gives."""
    if request.HasField("labels"):
        resource.labels.clear()
        resource.labels.update(request.labels.labels)
    if request.HasField("external_id"):
        resource.external_id = request.external_id


def _matches(item: Any, request: Any) -> bool:
    is_labelled = dict(request.labels).items() <= dict(item.labels).items()
    return is_labelled and request.external_id in ("", item.external_id)
