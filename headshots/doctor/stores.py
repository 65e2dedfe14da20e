"""Looks at an object store: puts, gets, lists and deletes one object of its own."""

from __future__ import annotations

import secrets
from pathlib import Path
from urllib.parse import unquote, urlsplit

from headshots.artifacts import ArtifactStore
from headshots.doctor.findings import Finding, failed, ok
from headshots.doctor.places import first_start_makes
from headshots.doctor.running import Check, describe
from headshots.errors import HeadshotsError

SECONDS = 30.0
# A bucket that is not there is told as an object that is not there.
_FAULTS = (HeadshotsError, FileNotFoundError)
_PATIENCE_SECONDS = 5.0
"""For each of the calls, so that the reason is known before the time is over."""


def store_check(name: str, url: str, variable: str) -> Check:
    """Looks at the store of this URL, which `variable` names."""
    cure = (
        f"see that {variable} is right, that the store is reached from here, and that its credentials may put, get, "
        "list and delete objects"
    )
    return Check(name, lambda: _look(name, url, cure), cure, SECONDS)


def folder_of(url: str) -> Path | None:
    """The folder of a local store; None of others."""
    parts = urlsplit(url)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def _look(name: str, url: str, cure: str) -> Finding:
    folder = folder_of(url)
    if folder is not None and not folder.exists():
        return first_start_makes(folder, f"the folder of the {name}")
    return _try(
        ArtifactStore.open(url, patience_seconds=_PATIENCE_SECONDS),
        f"{urlsplit(url).scheme}://{urlsplit(url).hostname or ''}{urlsplit(url).path}",
        cure,
    )


def _try(store: ArtifactStore, place: str, cure: str) -> Finding:
    """Each probe has a folder of its own on top, so that on disk nothing of it is left."""
    probe = f"doctor-{secrets.token_hex(8)}"
    key, data = f"{probe}/probe", secrets.token_bytes(16)
    step = "put"
    fault: str | None = None
    try:
        store.put_sync(key, data)
        step = "get"
        if store.get_sync(key) != data:
            return failed(f"what was put under {key} came back changed", cure)
        step = "list"
        if store.list_sync(probe) != [key]:
            return failed(f"the listing lacks {key}, which was put a moment ago", cure)
    except _FAULTS as error:
        fault = f"{step}: {describe(error)}"
    finally:
        left = _removed(store, probe, key)
    faults = [each for each in (fault, left) if each is not None]
    return failed("; ".join(faults), cure) if faults else ok(f"put, get, list and delete work: {place}")


def _removed(store: ArtifactStore, probe: str, key: str) -> str | None:
    """Removes the probe; what kept it from going, if anything did."""
    try:
        store.delete_sync(key)
        store.delete_prefix_sync(probe)
        return f"delete: {key} is still there" if store.exists_sync(key) else None
    except _FAULTS as error:
        return f"delete: {describe(error)} (remove {key} by hand, if it is there)"
