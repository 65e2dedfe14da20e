"""Reads the head of a request and writes that of an answer, as far as links need HTTP/1.1: one request a connection."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import formatdate
from http import HTTPStatus
from typing import NamedTuple

_VERSIONS = ("HTTP/1.0", "HTTP/1.1")


class RequestLine(NamedTuple):
    """What a request asks for; links need none of its headers."""

    method: str
    target: str


def read_request_line(head: bytes) -> RequestLine | None:
    """The first line of a request's head; None where it is none of HTTP/1."""
    parts = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
    if len(parts) != 3 or parts[2] not in _VERSIONS:
        return None
    return RequestLine(parts[0], parts[1])


def answer_head(status: HTTPStatus, headers: Mapping[str, str]) -> bytes:
    """The head of an answer after which the connection ends. No header may hold what a caller sent."""
    lines = [
        f"HTTP/1.1 {status.value} {status.phrase}",
        f"Date: {formatdate(usegmt=True)}",
        *(f"{name}: {value}" for name, value in headers.items()),
        "X-Content-Type-Options: nosniff",
        "Connection: close",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def plain_answer(status: HTTPStatus, sentence: str, headers: Mapping[str, str] | None = None) -> bytes:
    """A whole answer that tells people in a sentence why there is no file."""
    body = f"{sentence}\n".encode()
    told = {"Content-Type": "text/plain; charset=utf-8", "Content-Length": str(len(body)), "Cache-Control": "no-store"}
    return answer_head(status, {**told, **(headers or {})}) + body
