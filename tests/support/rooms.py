"""Who may import whom: the rooms of each service and of the library, with the reason for every arrow.

A new arrow is a decision: it is written down here first, with its reason, or the code is moved. Files at the top of a
service count as rooms; `__main__` and `wiring` may import everything of their service.
"""

from __future__ import annotations

Arrows = dict[str, dict[str, str]]

GATEWAY: Arrows = {
    "api": {},
    "events": {},
    "tenants": {"api": "times in protobuf"},
    "styles": {"api": "names and pages"},
    "peers": {"api": "states of jobs in protobuf"},
    "metrics": {},
    "photos": {
        "api": "names, pages and times",
        "tenants": "whose subject it is, and where its objects lie",
        "peers": "an inspection asks for the side that the foundation paints",
        "metrics": "uploads and inspections are counted",
    },
    "trainings": {
        "api": "names, pages, states and times",
        "tenants": "whose subject it is, and where its objects lie",
        "photos": "a training learns from photos",
        "peers": "a trainer does the work",
        "events": "watchers are woken",
        "metrics": "watchers are counted",
    },
    "galleries": {
        "api": "names, pages, states and times",
        "tenants": "whose subject it is",
        "trainings": "a gallery is painted with the adapter of a training",
        "peers": "adapters and failures by reference",
        "events": "watchers are woken and fed previews",
        "metrics": "watchers are counted",
    },
    "painting": {
        "galleries": "shots are leased from a gallery",
        "photos": "likeness is measured against the subject's photos, a few decoded at once",
        "tenants": "where a subject's objects lie",
        "peers": "a generator does the work",
        "events": "watchers are woken and fed previews",
        "metrics": "shots are counted",
    },
    "subjects": {
        "api": "names, pages and times",
        "tenants": "whose subject it is, and where its objects lie",
        "photos": "a subject tells how many it has; erasing removes them",
        "trainings": "a subject tells its newest adapter; erasing removes them",
        "galleries": "erasing removes them",
        "peers": "erasing makes the generators forget the adapters",
    },
    "settings": {
        "photos": "what a stream of photos may be",
        "painting": "how shots are worked on",
    },
}

HOUSES: dict[str, Arrows] = {"services/gateway": GATEWAY}

OWN = ""
TABLES: dict[str, dict[str, str]] = {
    "tenants": {"tenants": OWN, "subjects": "the check that every room begins with: is the subject the caller's?"},
    "photos": {"photos": OWN, "subjects": "the subject's row is the lock that a clean-up after a failed upload takes"},
    "trainings": {
        "trainings": OWN,
        "training_events": OWN,
        "training_jobs": "an erasure removes the trainer's rows in its own transaction (docs/decisions/0004)",
    },
    "galleries": {
        "galleries": OWN,
        "shots": OWN,
        "subjects": "the claim of a shot reads the class noun in the same query",
        "tenants": "the claim of a shot keeps the tenant's fair share in the same transaction",
    },
    "subjects": {"subjects": OWN, "tenants": "the tenant's row is the lock of an idempotent creation"},
    "metrics": {
        "galleries": "rows are counted by state when Prometheus asks",
        "shots": "rows are counted by state when Prometheus asks",
        "trainings": "rows are counted by state when Prometheus asks",
    },
}
"""Tables of `headshots.schema` that each gateway room uses, with the reason where one is another room's."""
