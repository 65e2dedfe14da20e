"""Loads adapters through three tiers: object store, local disk, packed rows in host memory.

What a tier holds is known by digest and key: to know an adapter's digest alone is not to have it.

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
from headshots.caching.lru import ByteLru
from headshots.diffusion.lora.files import foreign_foundation, load_row
from headshots.diffusion.lora.layout import Layout
from headshots.errors import FailedPreconditionError, InvalidAdapterError, NotFoundError
from headshots.settings import make_private
from services.generator.metrics import Metrics

log = logging.getLogger(__name__)

UNUSED_SECONDS = 30 * 86400.0
"""A file on disk that was not used for so long is not taken over at a start. Its adapter may have been erased while
this generator was off, and the tombstone that told so is not kept for ever (`headshots.stores.tombstones.KEPT`)."""
Row = npt.NDArray[np.float32]
_SUFFIX = ".safetensors"
_KEY_DIGITS = 32
"""Of the key's own SHA-256, in a name."""
_PARTIAL = ".partial"
"""Ending of a file that is being written; one that is there at the start is of a process that was killed."""


@dataclass(frozen=True)
class AdapterRef:
    """Names an adapter: its SHA-256, its key in the store, and the foundation it claims to be for."""

    sha256: str
    key: str
    foundation_digest: str

    @property
    def name(self) -> str:
        """Names digest and key together, for the tiers and as a file's name."""
        return f"{self.sha256}-{hashlib.sha256(self.key.encode()).hexdigest()[:_KEY_DIGITS]}"


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
        self.disk, self.host = ByteLru(disk_bytes), ByteLru(host_bytes)
        """Names of what is on disk and in memory; for others to read."""
        self._rows: dict[str, Row] = {}
        self._loading: dict[str, asyncio.Task[Row]] = {}
        self._keys: dict[str, str] = {}
        self.erased: Set[str] = frozenset()
        """Digests of adapters that were erased of late: their copies are not used unless the object is there again."""
        make_private(folder)
        for left in folder.glob(f"*{_PARTIAL}"):
            left.unlink()
        for path in sorted(folder.glob(f"*{_SUFFIX}"), key=lambda p: p.stat().st_mtime):
            # Without a dash: of a version that did not keep which key it came from.
            if "-" not in path.stem or path.stat().st_mtime < time.time() - UNUSED_SECONDS:
                path.unlink()
            else:
                self._unlink(self.disk.add(path.stem, path.stat().st_size))

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
        name = adapter.name
        found = self._rows.get(name)
        self._metrics.looked_up("host", found is not None)
        if found is not None:
            self.host.touch(name)
            return found
        task = self._loading.get(name)
        if task is None:
            task = asyncio.create_task(self._load(adapter))
            self._loading[name] = task
            task.add_done_callback(lambda _: self._loading.pop(name, None))
        # A caller who leaves must not take the load away from the others who wait for it.
        return await asyncio.shield(task)

    async def evict(self, sha256: str) -> bool:
        """Forget the adapter on disk and in memory, whatever key it came from; whether it was there.

        Loads under way end first, or they would bring back what is to be forgotten.
        """
        loading = {task for name, task in self._loading.items() if _is_of(name, sha256)}
        if loading:
            await asyncio.wait(loading)
        names = self._names(sha256)
        for name in names:
            self._rows.pop(name, None)
            self._keys.pop(name, None)
            self.host.remove(name)
            self.disk.remove(name)
        await asyncio.to_thread(self._unlink, names)
        return bool(names)

    async def is_orphaned(self, sha256: str) -> bool:
        """Whether there is a copy, on disk or in memory, of an object that is not known to be in the store.

        Raises:
            UnavailableError: OBJECT_STORE_UNAVAILABLE.
        """
        keys = [self._keys.get(name) for name in self._names(sha256)]
        return any([key is None or not await self._store.exists(key) for key in keys])

    async def _load(self, adapter: AdapterRef) -> Row:
        """Disk or store to a packed row. A file that is refused is not kept on disk."""
        data, is_on_disk = await self._data(adapter)
        try:
            with self._metrics.load("disk"):
                row = await asyncio.to_thread(load_row, data, self._layout, self._digest)
        except InvalidAdapterError:
            # An engine before this one may have taken it.
            self.disk.remove(adapter.name)
            await asyncio.to_thread(self._unlink, [adapter.name])
            raise
        if not is_on_disk:
            await self._keep(adapter.name, data)
        row.flags.writeable = False
        self._rows[adapter.name] = row
        self._keys[adapter.name] = adapter.key
        for gone in self.host.add(adapter.name, row.nbytes):
            self._rows.pop(gone, None)
            self._forget_key(gone)
        return row

    async def _data(self, adapter: AdapterRef) -> tuple[bytes, bool]:
        """The file's bytes, from disk or, checked against the digest, from the store; and whether they were on disk."""
        on_disk = adapter.name in self.disk
        data = await asyncio.to_thread(_read, self._path(adapter.name), adapter.sha256) if on_disk else None
        self._metrics.looked_up("disk", data is not None)
        if data is not None:
            self.disk.touch(adapter.name)
            return data, True
        with self._metrics.load("store"):
            data = await self._download(adapter)
        return data, False

    async def _keep(self, name: str, data: bytes) -> None:
        """Write the file to disk, as far as there is room."""
        try:
            await asyncio.to_thread(_write, self._path(name), data)
        except OSError as error:
            # The disk only saves downloads: a full one makes the next load slower, not impossible.
            log.warning("adapter %s is not kept on disk: %s", name[:12], error)
            return
        dropped = self.disk.add(name, len(data))
        await asyncio.to_thread(self._unlink, dropped)
        for gone in dropped:
            self._forget_key(gone)

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

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}{_SUFFIX}"

    def _names(self, sha256: str) -> list[str]:
        """Of the copies on disk and in memory, whatever key they came from."""
        return sorted({name for name in (*self.disk, *self.host) if _is_of(name, sha256)})

    def _forget_key(self, name: str) -> None:
        """Of a copy that is neither on disk nor in memory the key is not needed."""
        if name not in self.disk and name not in self.host:
            self._keys.pop(name, None)

    def _unlink(self, names: list[str]) -> None:
        for name in names:
            self._path(name).unlink(missing_ok=True)


def _is_of(name: str, sha256: str) -> bool:
    """Whether a tier's name is of an adapter with that digest."""
    return name.startswith(f"{sha256}-")


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
