"""Loads adapters through three tiers: object store, local disk, packed rows in host memory.

Each is bounded and least recently used goes first. Loading runs beside the batch, never within it; one adapter asked
for by many requests at once is loaded once. The fourth tier, the slots, belongs to the engine loop (``slots.py``).
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import time
from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from headshots.artifacts import ArtifactStore
from headshots.diffusion.lora.files import foreign_foundation, load_row
from headshots.diffusion.lora.layout import Layout
from headshots.errors import FailedPreconditionError, InvalidAdapterError, NotFoundError
from services.generator.adapters.lru import ByteLru
from services.generator.metrics import Metrics

log = logging.getLogger(__name__)

UNUSED_SECONDS = 30 * 86400.0
"""A file on disk that was not used for so long is not taken over at a start. Its adapter may have been erased while
this generator was off, and the tombstone that told so is not kept for ever (`headshots.stores.tombstones.KEPT`)."""
Row = npt.NDArray[np.float32]
_PARTIAL = ".partial"
"""Ending of a file that is being written; one that is there at the start is of a process that was killed."""


@dataclass(frozen=True)
class AdapterRef:
    """Names an adapter: its SHA-256, its key in the store, and the foundation it claims to be for."""

    sha256: str
    key: str
    foundation_digest: str


class AdapterCache:
    """Rows by reference. Used from one event loop."""

    def __init__(
        self,
        store: ArtifactStore,
        folder: Path,
        layout: Layout,
        foundation_digest: str,
        metrics: Metrics,
        *,
        disk_bytes: int,
        host_bytes: int,
    ) -> None:
        """``folder`` is this process's own; what an earlier one left there is taken over."""
        self._store = store
        self._folder = folder
        self._layout = layout
        self._digest = foundation_digest
        self._metrics = metrics
        self._disk = ByteLru(disk_bytes)
        self._host = ByteLru(host_bytes)
        self._rows: dict[str, Row] = {}
        self._loading: dict[str, asyncio.Task[Row]] = {}
        self._keys: dict[str, str] = {}
        self.erased: Set[str] = frozenset()
        """Digests of adapters that were erased of late: their copies are not used unless the object is there again."""
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(f"*{_PARTIAL}"):
            left.unlink()
        for path in sorted(folder.glob("*.safetensors"), key=lambda p: p.stat().st_mtime):
            if path.stat().st_mtime < time.time() - UNUSED_SECONDS:
                path.unlink()
            else:
                self._unlink(self._disk.add(path.stem, path.stat().st_size))

    async def row(self, adapter: AdapterRef) -> Row:
        """The packed row of ``adapter``, [P] float32, checked.

        Raises:
            InvalidAdapterError: ADAPTER_* (see :func:`headshots.diffusion.lora.files.load_row`), ADAPTER_NOT_FOUND,
                ADAPTER_DIGEST_MISMATCH.
            UnavailableError: OBJECT_STORE_UNAVAILABLE.
        """
        if adapter.foundation_digest != self._digest:
            raise foreign_foundation(adapter.foundation_digest, self._digest)
        if adapter.sha256 in self.erased and not await self._store.exists(adapter.key):
            raise _not_found(adapter.key)
        found = self._rows.get(adapter.sha256)
        self._metrics.looked_up("host", found is not None)
        if found is not None:
            self._host.touch(adapter.sha256)
            return found
        task = self._loading.get(adapter.sha256)
        if task is None:
            task = asyncio.create_task(self._load(adapter))
            self._loading[adapter.sha256] = task
            task.add_done_callback(lambda _: self._loading.pop(adapter.sha256, None))
        # A caller who leaves must not take the load away from the others who wait for it.
        return await asyncio.shield(task)

    async def evict(self, sha256: str) -> bool:
        """Forget the adapter on disk and in memory; whether it was there.

        A load under way ends first, or it would bring back what is to be forgotten.
        """
        loading = self._loading.get(sha256)
        if loading is not None:
            await asyncio.wait({loading})
        self._rows.pop(sha256, None)
        self._keys.pop(sha256, None)
        on_host = self._host.remove(sha256)
        on_disk = self._disk.remove(sha256)
        await asyncio.to_thread(self._unlink, [sha256])
        return on_host or on_disk

    async def is_orphaned(self, sha256: str) -> bool:
        """Whether there is a copy, on disk or in memory, of an object that is not known to be in the store.

        Raises:
            UnavailableError: OBJECT_STORE_UNAVAILABLE.
        """
        if sha256 not in self._disk and sha256 not in self._host:
            return False
        key = self._keys.get(sha256)
        return key is None or not await self._store.exists(key)

    async def _load(self, adapter: AdapterRef) -> Row:
        """Disk or store to a packed row. A file that is refused is not kept on disk."""
        data, is_on_disk = await self._data(adapter)
        try:
            with self._metrics.load("disk"):
                row = await asyncio.to_thread(load_row, data, self._layout, self._digest)
        except InvalidAdapterError:
            # An engine before this one may have taken it.
            self._disk.remove(adapter.sha256)
            await asyncio.to_thread(self._unlink, [adapter.sha256])
            raise
        if not is_on_disk:
            await self._keep(adapter.sha256, data)
        row.flags.writeable = False
        self._rows[adapter.sha256] = row
        self._keys[adapter.sha256] = adapter.key
        for gone in self._host.add(adapter.sha256, row.nbytes):
            self._rows.pop(gone, None)
            self._forget_key(gone)
        return row

    async def _data(self, adapter: AdapterRef) -> tuple[bytes, bool]:
        """The file's bytes, from disk or, checked against the digest, from the store; and whether they were on disk."""
        on_disk = adapter.sha256 in self._disk
        data = await asyncio.to_thread(_read, self._path(adapter.sha256), adapter.sha256) if on_disk else None
        self._metrics.looked_up("disk", data is not None)
        if data is not None:
            self._disk.touch(adapter.sha256)
            return data, True
        with self._metrics.load("store"):
            data = await self._download(adapter)
        return data, False

    async def _keep(self, sha256: str, data: bytes) -> None:
        """Write the file to disk, as far as there is room."""
        try:
            await asyncio.to_thread(_write, self._path(sha256), data)
        except OSError as error:
            # The disk only saves downloads: a full one makes the next load slower, not impossible.
            log.warning("adapter %s is not kept on disk: %s", sha256[:12], error)
            return
        gone = self._disk.add(sha256, len(data))
        await asyncio.to_thread(self._unlink, gone)
        for name in gone:
            self._forget_key(name)

    async def _download(self, adapter: AdapterRef) -> bytes:
        try:
            data = await self._store.get_promised(adapter.key, adapter.sha256)
        except NotFoundError as error:
            self._metrics.looked_up("store", False)
            raise _not_found(adapter.key) from error
        except FailedPreconditionError as error:
            self._metrics.looked_up("store", False)
            raise InvalidAdapterError("ADAPTER_DIGEST_MISMATCH", f"{error.message}; train the subject again") from error
        self._metrics.looked_up("store", True)
        return data

    def _path(self, sha256: str) -> Path:
        return self._folder / f"{sha256}.safetensors"

    def _forget_key(self, sha256: str) -> None:
        """Of a copy that is neither on disk nor in memory the key is not needed."""
        if sha256 not in self._disk and sha256 not in self._host:
            self._keys.pop(sha256, None)

    def _unlink(self, names: list[str]) -> None:
        for name in names:
            self._path(name).unlink(missing_ok=True)


def _not_found(key: str) -> InvalidAdapterError:
    return InvalidAdapterError("ADAPTER_NOT_FOUND", f"the object store has no {key}; train the subject again")


def _read(path: Path, sha256: str) -> bytes | None:
    """The file's bytes; None where it is gone or not what it was."""
    try:
        data = path.read_bytes()
        os.utime(path)
    except FileNotFoundError:
        return None
    return data if hashlib.sha256(data).hexdigest() == sha256 else None


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all."""
    partial = path.with_suffix(_PARTIAL)
    try:
        partial.write_bytes(data)
        partial.replace(path)
    except OSError:
        # Half of a person's adapter is still hers.
        partial.unlink(missing_ok=True)
        raise
