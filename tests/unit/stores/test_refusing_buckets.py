"""Deletes that an S3 store refuses are errors: by a status, and for single keys within an answer that is 200."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from headshots.artifacts import ArtifactStore
from headshots.errors import UnavailableError

KEY = "photos/a.png"
DENIED = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
# What a bucket answers whose policy or object lock forbids to delete this one of the keys.
KEY_DENIED = (
    b'<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Error><Key>photos/a.png</Key>'
    b"<Code>AccessDenied</Code><Message>Access Denied</Message></Error></DeleteResult>"
)
DELETED = (
    b'<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Deleted><Key>photos/a.png</Key></Deleted>'
    b"</DeleteResult>"
)


class _Bucket(ThreadingHTTPServer):
    """Answers every DeleteObjects with the same."""

    status, body = HTTPStatus.OK, DELETED


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Bucket

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, format: str, *args: object) -> None:
        """Not to stderr."""


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Bucket]:
    with _Bucket(("127.0.0.1", 0), _Handler) as bucket:
        threading.Thread(target=bucket.serve_forever).start()
        variables = {
            "AWS_ENDPOINT": f"http://127.0.0.1:{bucket.server_port}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "nowhere",
            "AWS_ACCESS_KEY_ID": "id",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "NO_PROXY": "127.0.0.1",
        }
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        yield bucket
        bucket.shutdown()


def test_a_bucket_that_deletes_is_believed(bucket: _Bucket) -> None:
    """Without this the tests below would pass for a bucket that is not reached."""
    assert bucket.status == HTTPStatus.OK
    ArtifactStore.open("s3://bucket").delete_sync(KEY)


@pytest.mark.parametrize(("status", "body"), [(HTTPStatus.FORBIDDEN, DENIED), (HTTPStatus.OK, KEY_DENIED)])
def test_a_refused_delete_is_an_error(status: HTTPStatus, body: bytes, bucket: _Bucket) -> None:
    bucket.status, bucket.body = status, body
    with pytest.raises(UnavailableError, match="OBJECT_STORE_UNAVAILABLE"):
        ArtifactStore.open("s3://bucket").delete_sync(KEY)
