"""Sends raw HTTP requests, as no library would, and reads the answers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.support.waiting import PATIENCE_SECONDS


@dataclass(frozen=True)
class HttpAnswer:
    """An answer of a server that closes the connection after it."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


async def send(port: int, request: bytes) -> HttpAnswer:
    """Sends exactly these bytes to the port; the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        await writer.drain()
        async with asyncio.timeout(PATIENCE_SECONDS):
            received = await reader.read()
    finally:
        writer.close()
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return HttpAnswer(int(first.split(" ")[1]), headers, body)


async def open_url(url: str, method: str = "GET") -> HttpAnswer:
    """Opens a URL as a browser does."""
    parts = urlsplit(url)
    assert parts.port is not None
    return await send(parts.port, f"{method} {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
