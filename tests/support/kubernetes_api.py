"""Stands in for Kubernetes' API over TLS: takes annotations of pods from whoever has the token."""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from headshots.pods.settings import PodSettings
from tests.support.certificates import Authority

TOKEN = "a.service.account"


class FakeKubernetes:
    """Remembers the annotations of pods, by path; answers ``status`` instead where that is set."""

    def __init__(self, folder: Path) -> None:
        self.annotated: list[tuple[str, dict[str, str]]] = []
        self.dry_runs: list[str] = []
        self.refused = 0
        self.status: int | None = None
        self.says: bytes | None = None
        """Sent in place of an answer."""
        self.token = TOKEN
        self.folder = folder
        self.port = 0

    def costs(self, pod: str) -> list[int]:
        """What was told of a pod, in order."""
        path = f"/api/v1/namespaces/headshots/pods/{pod}"
        key = "controller.kubernetes.io/pod-deletion-cost"
        return [int(annotations[key]) for told, annotations in self.annotated if told == path]

    @property
    def environment(self) -> dict[str, str]:
        """The variables of a service in a pod, but for the pod's name."""
        return {"HEADSHOTS_POD_ACCOUNT_DIR": str(self.folder), "HEADSHOTS_POD_API_URL": self.url}

    @property
    def url(self) -> str:
        """Its address."""
        return f"https://127.0.0.1:{self.port}"

    def settings(self, name: str) -> PodSettings:
        """Of a service in a pod."""
        return PodSettings.from_environment({"HEADSHOTS_POD_NAME": name, **self.environment})

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> int:
        """Take a patch; the status of the answer."""
        if self.status is not None or headers.get("Authorization") != f"Bearer {self.token}":
            self.refused += 1
            return self.status or 401
        if headers.get("Content-Type") != "application/merge-patch+json":
            return 415
        found = json.loads(body)
        assert found.keys() == {"metadata"}, "a pod changes nothing of itself but annotations"
        assert found["metadata"].keys() == {"annotations"}
        bare, _, query = path.partition("?")
        if query == "dryRun=All":
            self.dry_runs.append(bare)
        else:
            self.annotated.append((bare, found["metadata"]["annotations"]))
        return 200


@contextlib.contextmanager
def fake_kubernetes(folder: Path) -> Iterator[FakeKubernetes]:
    """Serve it on a free port; its token and CA lie in ``folder``, as in that of a service account."""
    fake = FakeKubernetes(Authority.make(folder.with_name(f"{folder.name}-ca")).issue(folder))
    (folder / "token").write_text(TOKEN + "\n")

    class Handler(BaseHTTPRequestHandler):
        def do_PATCH(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = fake.answer(self.path, dict(self.headers), body)
            if fake.says is not None:
                self.wfile.write(fake.says)
                return
            answer = json.dumps({"kind": "Status", "message": f"pods is said {status}"}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    fake.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
