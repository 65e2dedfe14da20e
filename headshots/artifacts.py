"""Stores photos, adapters and images by key in an object store.

Keys are immutable: what a key holds never changes, so ``put`` of a key that exists is a success and nothing is ever
overwritten. Erasing an owner is deleting a prefix. Differences between backends (local deletes of missing keys raise,
on S3 they do not; local has no content types and signs no links) end in this module.
"""

from __future__ import annotations

import asyncio
import builtins
import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import obstore
from obstore.exceptions import AlreadyExistsError as ObjectExistsError
from obstore.store import LocalStore, ObjectStore

from headshots.stores.failures import MISSING, check_digest, missing, translated
from headshots.stores.local import is_staged, refuse_links, remove_empty, remove_staged
from headshots.stores.opening import open_backend
from headshots.stores.signing import can_sign, signed_urls, stored_attributes


class ArtifactStore:
    """Bytes by key. The ``*_sync`` methods block and are for child processes; all others run off the event loop.

    On disk nothing is read, written, listed or removed through a symbolic link within the store's folder: it would lead
    to what is not the tenant's, or out of the store. (The folder itself may be reached by one; what has to lie on
    another disk is mounted.)

    Raises (all methods):
        UnavailableError: OBJECT_STORE_UNAVAILABLE, when the backend fails, or OBJECT_STORE_FULL, when its disk has no
            room; the same call may succeed later. Also where a symbolic link is in the way; the log names it.
        InvalidArgumentError: KEY_INVALID, for a key that would leave its folder (``..``), is no path (``a//b``) or, in
            ``put``, has a name of staged files (``a#1``).
    """

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._folder = Path(store.prefix or "/") if isinstance(store, LocalStore) else None

    @classmethod
    def open(cls, url: str, *, patience_seconds: float | None = None) -> ArtifactStore:
        """Open ``file:///dir``, ``memory:///``, ``s3://bucket/prefix``, ``gs://…`` or ``az://…``.

        A missing folder is made, for its owner only. Credentials of the cloud stores come from their usual environment
        variables. One that does not answer is asked again for ``patience_seconds``; None: for minutes.

        Raises:
            InvalidArgumentError: STORE_URL_INVALID.
        """
        return cls(open_backend(url, patience_seconds))

    async def put(self, key: str, data: bytes) -> None:
        """Store ``data`` under ``key`` unless the key exists."""
        await asyncio.to_thread(self.put_sync, key, data)

    async def put_or_get(self, key: str, data: bytes) -> bytes:
        """Store ``data`` under ``key`` unless the key exists; what lies there then. Of two callers one stores."""
        return await asyncio.to_thread(self.put_or_get_sync, key, data)

    async def get(self, key: str) -> bytes:
        """The object's bytes.

        Raises:
            NotFoundError: OBJECT_NOT_FOUND.
        """
        return await asyncio.to_thread(self.get_sync, key)

    async def get_promised(self, key: str, sha256: str) -> bytes:
        """The object's bytes, checked against the SHA-256 (hex) that was named with the key.

        Raises:
            NotFoundError: OBJECT_NOT_FOUND.
            FailedPreconditionError: OBJECT_DIGEST_MISMATCH.
        """
        data = await self.get(key)
        # Beside the event loop: an adapter of SDXL takes a tenth of a second.
        await asyncio.to_thread(check_digest, key, data, sha256)
        return data

    async def size(self, key: str) -> int:
        """The object's size in bytes.

        Raises:
            NotFoundError: OBJECT_NOT_FOUND.
        """
        return await asyncio.to_thread(self.size_sync, key)

    async def get_range(self, key: str, start: int, length: int) -> bytes:
        """`length` of the object's bytes from `start` on, fewer at its end.

        Raises:
            NotFoundError: OBJECT_NOT_FOUND.
        """
        return await asyncio.to_thread(self.get_range_sync, key, start, length)

    async def exists(self, key: str) -> bool:
        """Whether ``key`` holds an object."""
        return await asyncio.to_thread(self.exists_sync, key)

    @property
    def signs(self) -> bool:
        """Whether the backend can sign links to its objects: cloud stores can, a folder and the memory cannot."""
        return can_sign(self._store)

    async def sign(self, keys: Sequence[str], valid_seconds: int) -> builtins.list[str]:
        """URLs that anybody can GET for so long, where the store :attr:`signs`; objects that are missing have one too.

        Asks the network at most for credentials.
        """
        with translated("its links"):
            return await asyncio.to_thread(signed_urls, self._store, keys, valid_seconds)

    async def list(self, prefix: str) -> builtins.list[str]:
        """Keys under the folder ``prefix``, sorted."""
        return await asyncio.to_thread(self.list_sync, prefix)

    async def delete(self, key: str) -> None:
        """Remove ``key``; a missing one is fine."""
        await asyncio.to_thread(self.delete_sync, key)

    async def delete_prefix(self, prefix: str) -> int:
        """Remove everything under the folder ``prefix``, also what killed writers left; returns how many objects."""
        return await asyncio.to_thread(self.delete_prefix_sync, prefix)

    def put_sync(self, key: str, data: bytes) -> None:
        """Blocking :meth:`put`. An object appears whole or not at all.

        Always a single request: a multipart upload that is not ended would stay in the bucket, unseen.
        """
        self._create(key, data)

    def put_or_get_sync(self, key: str, data: bytes) -> bytes:
        """Blocking :meth:`put_or_get`."""
        return data if self._create(key, data) else self.get_sync(key)

    def _create(self, key: str, data: bytes) -> bool:
        """Store ``data`` unless the key exists; whether it was stored."""
        with self._reached(key):
            if is_staged(key):
                raise ValueError("a name of staged files")
            attributes = stored_attributes(self._store, key)
            with contextlib.suppress(ObjectExistsError):
                obstore.put(self._store, key, data, mode="create", use_multipart=False, attributes=attributes)
                return True
        return False

    def get_sync(self, key: str) -> bytes:
        """Blocking :meth:`get`."""
        try:
            with self._reached(key):
                return bytes(obstore.get(self._store, key).bytes())
        except MISSING as error:
            raise missing(key) from error

    def get_range_sync(self, key: str, start: int, length: int) -> bytes:
        """Blocking :meth:`get_range`."""
        try:
            with self._reached(key):
                return bytes(obstore.get_range(self._store, key, start=start, length=length))
        except MISSING as error:
            raise missing(key) from error

    def get_promised_sync(self, key: str, sha256: str) -> bytes:
        """Blocking :meth:`get_promised`."""
        data = self.get_sync(key)
        check_digest(key, data, sha256)
        return data

    def size_sync(self, key: str) -> int:
        """Blocking :meth:`size`."""
        try:
            with self._reached(key):
                return int(obstore.head(self._store, key)["size"])
        except MISSING as error:
            raise missing(key) from error

    def exists_sync(self, key: str) -> bool:
        """Blocking :meth:`exists`."""
        try:
            with self._reached(key):
                obstore.head(self._store, key)
        except MISSING:
            return False
        return True

    def list_sync(self, prefix: str) -> builtins.list[str]:
        """Blocking :meth:`list`."""
        return sorted(self.sizes_sync(prefix))

    def list_after_sync(self, prefix: str, after: str) -> builtins.list[str]:
        """Keys under the folder ``prefix`` that come after the key ``after``, sorted; the cloud lists no others."""
        with self._reached(prefix, whole=True):
            return sorted(entry["path"] for page in obstore.list(self._store, prefix, offset=after) for entry in page)

    def folders_sync(self, prefix: str) -> builtins.list[str]:
        """Names of the folders right below the folder ``prefix``, sorted; what is in them is not listed. Blocking."""
        with self._reached(prefix):
            found = obstore.list_with_delimiter(self._store, prefix)["common_prefixes"]
            return sorted(path.rstrip("/").rpartition("/")[2] for path in found)

    def delete_sync(self, key: str) -> None:
        """Blocking :meth:`delete`."""
        with self._reached(key), contextlib.suppress(*MISSING):
            obstore.delete(self._store, key)

    def sizes_sync(self, prefix: str) -> dict[str, int]:
        """Bytes by key of what is under the folder ``prefix``. Blocking."""
        with self._reached(prefix, whole=True):
            return {entry["path"]: entry["size"] for page in obstore.list(self._store, prefix) for entry in page}

    def delete_prefix_sync(self, prefix: str, before: Callable[[Mapping[str, int]], None] | None = None) -> int:
        """Blocking :meth:`delete_prefix`; ``before`` is called with what is about to be removed, bytes by key.

        On disk the folder goes too, unless somebody writes into it: its name may be a person's id.
        """
        sizes = self.sizes_sync(prefix)
        if before is not None:
            before(sizes)
        for key in sorted(sizes):
            self.delete_sync(key)
        self.remove_staged_sync(prefix)
        if self._folder is not None and prefix:
            with self._reached(prefix):
                remove_empty(self._folder, prefix)
        return len(sizes)

    def remove_staged_sync(self, prefix: str = "", *, unused_seconds: float = 0.0) -> int:
        """Remove what writers that were killed in ``put`` left under the folder ``prefix``; returns how many files.

        Only on disk there is such a thing. What was written within ``unused_seconds`` stays: its writer may live.
        """
        if self._folder is None:
            return 0
        with self._reached(prefix):
            return remove_staged(self._folder, prefix, unused_seconds=unused_seconds)

    @contextlib.contextmanager
    def _reached(self, key: str, *, whole: bool = False) -> Iterator[None]:
        """Reach a key, or with ``whole`` all that is below it: no link is followed, and errors are ours."""
        with translated(key):
            if key.startswith("/"):  # on disk it would lead out of the store's folder
                raise ValueError("a key begins with a name")
            if self._folder is not None and ".." not in key.split("/"):
                refuse_links(self._folder, key, whole=whole)
            yield
