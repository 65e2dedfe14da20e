"""A hub of the Hugging Face protocol on loopback, as far as ``huggingface_hub`` asks one for models."""

from __future__ import annotations

import hashlib
import json
import re
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

TOKEN = "hf_of_the_test"
_LFS_FROM = 1 << 14


@dataclass
class Repository:
    """``commits``: of each its files; ``branches``: the commit of each; ``access``: empty, ``gated`` or ``private``."""

    commits: dict[str, Mapping[str, bytes]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    access: str = ""

    def commit(self, files: Mapping[str, bytes], branch: str = "main") -> str:
        """Publish files; returns the commit."""
        digest = hashlib.sha1(json.dumps([(name, sha256(data)) for name, data in sorted(files.items())]).encode())
        self.commits[digest.hexdigest()] = files
        self.branches[branch] = digest.hexdigest()
        return digest.hexdigest()


class HubServer(ThreadingHTTPServer):
    """The hub; ``url`` is what HF_ENDPOINT is set to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repositories: dict[str, Repository] = {}
        self.calls: list[tuple[str, str, str]] = []
        """Method, path and range of each call."""
        self.break_off: dict[str, list[int]] = {}
        """Of a file, after how many bytes each of the next answers ends; -1: it is 503."""
        self.changed: dict[str, bytes] = {}
        """Of a file, what is sent in place of its bytes."""
        self.odd: dict[str, Any] = {}
        """What is told of every repository in place of what is so."""
        self.moved: dict[str, str] = {}
        """Of a file, where else it is said to be."""

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is none; all else is told on stderr."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    @property
    def url(self) -> str:
        """The address."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def publish(self, name: str, folder: Path, **extra: bytes) -> str:
        """Make a folder a repository; returns its commit. ``extra``: more files, ``__`` for a dot."""
        files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        more = {key.replace("__", "."): data for key, data in extra.items()}
        return self.repositories.setdefault(name, Repository()).commit({**files, **more})

    def fetched(self) -> list[str]:
        """Files whose bytes were sent, in order."""
        return [path.split("/", 5)[5] for method, path, _ in self.calls if method == "GET" and "/resolve/" in path]


@contextmanager
def serving() -> Iterator[HubServer]:
    """A hub without repositories, until the end of the block."""
    with HubServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def sha256(data: bytes) -> str:
    """In hex."""
    return hashlib.sha256(data).hexdigest()


def git_sha1(data: bytes) -> str:
    """Of a git blob, in hex."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def etag(name: str, data: bytes) -> str:
    """SHA-256 of what lies in large-file storage, else git's."""
    return sha256(data) if _is_large(name, data) else git_sha1(data)


def _is_large(name: str, data: bytes) -> bool:
    return name.endswith((".safetensors", ".bin", ".ckpt")) or len(data) >= _LFS_FROM


class _Handler(BaseHTTPRequestHandler):
    server: HubServer
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def log_message(self, *given: object) -> None:
        """Says nothing."""

    def _answer(self, *, with_body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        self.server.calls.append((self.command, path, self.headers.get("Range", "")))
        if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/(.+))?", path):
            self._info(found[1], found[2] or "main")
        elif found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            self._file(found[1], found[2], found[3], with_body=with_body)
        else:
            self._refuse(404, "", "no such page")

    def _commit(self, name: str, revision: str) -> str | None:
        """The commit; None where the call was refused."""
        repository = self.server.repositories.get(name)
        is_known = self.headers.get("Authorization") == f"Bearer {TOKEN}"
        if repository is None or (repository.access == "private" and not is_known):
            return self._refuse(401, "RepoNotFound", "Invalid username or password.")
        if repository.access == "gated" and not is_known and "/resolve/" in self.path:
            return self._refuse(401, "GatedRepo", "Access to the model is restricted.")
        commit = repository.branches.get(revision, revision)
        if commit not in repository.commits:
            return self._refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return commit

    def _info(self, name: str, revision: str) -> None:
        commit = self._commit(name, revision)
        if commit is None:
            return
        siblings = []
        for file, data in self.server.repositories[name].commits[commit].items():
            lfs = {"lfs": {"sha256": sha256(data), "size": len(data), "pointerSize": 134}}
            own = {"rfilename": file, "size": len(data), "blobId": git_sha1(data)}
            siblings.append(own | (lfs if _is_large(file, data) else {}))
        told = {"id": name, "modelId": name, "sha": commit, "siblings": siblings} | self.server.odd
        body = json.dumps(told).encode()
        self._send(200, {"Content-Type": "application/json"}, body)

    def _file(self, name: str, revision: str, file: str, *, with_body: bool) -> None:
        commit = self._commit(name, revision)
        if commit is None:
            return
        data = self.server.repositories[name].commits[commit].get(file)
        if data is None:
            self._refuse(404, "EntryNotFound", "Entry not found")
            return
        if (elsewhere := self.server.moved.get(file)) is not None:
            self._send(302, {"Location": elsewhere}, b"", only_head=not with_body)
            return
        told = {"X-Repo-Commit": commit, "ETag": f'"{etag(file, data)}"', "Accept-Ranges": "bytes"}
        if _is_large(file, data):
            told |= {"X-Linked-Etag": f'"{sha256(data)}"', "X-Linked-Size": str(len(data))}
        if not with_body:
            self._send(200, told, data, only_head=True)
            return
        ends = self.server.break_off.get(file, [])
        end = ends.pop(0) if ends else None
        if end == -1:
            self._refuse(503, "", "the hub is down")
            return
        data = self.server.changed.get(file, data)
        begin, last = self._range(len(data))
        ranged = {"Content-Range": f"bytes {begin}-{last}/{len(data)}"} if "Range" in self.headers else {}
        self._send(206 if ranged else 200, told | ranged, data[begin : last + 1], end=end)

    def _range(self, size: int) -> tuple[int, int]:
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if found is None:
            return 0, size - 1
        return int(found[1]), min(size - 1, int(found[2] or size))

    def _refuse(self, status: int, code: str, message: str) -> None:
        self._send(status, {"X-Error-Code": code, "X-Error-Message": message} if code else {}, message.encode())

    def _send(
        self, status: int, headers: Mapping[str, str], body: bytes, *, only_head: bool = False, end: int | None = None
    ) -> None:
        """``end``: the connection breaks after so many bytes of the body."""
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if only_head:
            return
        self.wfile.write(body[:end])
        if end is not None:
            self.close_connection = True
