"""Serves links over HTTP: the files that a token opens, and nothing else.

Each connection is one request. It is bounded in number and in time, so that clients that read slowly or send nothing
take no more than their places. No URL is logged: whoever has one can open it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

from headshots.artifacts import ArtifactStore
from headshots.errors import NotFoundError, UnavailableError
from headshots.rpc.ports import check_port
from services.gateway.links.http import answer_head, plain_answer, read_request_line
from services.gateway.links.makers import PATH
from services.gateway.links.models import LinkedFile
from services.gateway.links.tokens import LinkTokens

_HEAD_BYTES = 16 * 2**10
_PIECE_BYTES = 256 * 2**10
_BUSY = plain_answer(
    HTTPStatus.SERVICE_UNAVAILABLE, "Too many files are being sent; try again soon.", {"Retry-After": "2"}
)


@dataclass(frozen=True)
class LinkLimits:
    """What clients of links may take."""

    connections: int = 128
    """Open at once; more are answered 503."""
    head_seconds: float = 10.0
    """For a request to arrive."""
    piece_seconds: float = 30.0
    """For 256 KiB of a file to be taken."""
    total_seconds: float = 300.0
    """For a whole request."""


class LinkServer:
    """The links port of a gateway."""

    def __init__(
        self,
        store: ArtifactStore,
        tokens: LinkTokens,
        is_shown: Callable[[str], Awaitable[bool]],
        limits: LinkLimits | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``is_shown``: whether the object of a key may be handed out still; ``clock``: seconds since the epoch."""
        self._store = store
        self._tokens = tokens
        self._is_shown = is_shown
        self._limits = limits or LinkLimits()
        self._clock = clock
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listens; the port, which is a free one for 0.

        Raises:
            UnavailableError: ADDRESS_IN_USE, ADDRESS_UNUSABLE.
        """
        check_port(host, port, "HEADSHOTS_GATEWAY_LINKS_PORT")
        self._server = await asyncio.start_server(self._connected, host, port, limit=_HEAD_BYTES)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Closes the port and ends what is being sent."""
        if self._server is not None:
            self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._connections) >= self._limits.connections:
            writer.write(_BUSY)
            writer.close()
            return
        self._connections.add(task)
        try:
            await self._answer_in_time(reader, writer)
        except (TimeoutError, ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            # The client was too slow or went away, or the gateway ends: nobody is left to be told.
            writer.transport.abort()
        finally:
            self._connections.discard(task)
            writer.close()

    async def _answer_in_time(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # So that `drain` waits until the client has taken everything.
        writer.transport.set_write_buffer_limits(high=0)
        async with asyncio.timeout(self._limits.total_seconds):
            try:
                async with asyncio.timeout(self._limits.head_seconds):
                    head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.LimitOverrunError:
                too_large = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
                await self._send(writer, plain_answer(too_large, "The request has too many headers."))
                return
            await self._answer(head, writer)

    async def _answer(self, head: bytes, writer: asyncio.StreamWriter) -> None:
        request = read_request_line(head)
        if request is None:
            await self._send(writer, plain_answer(HTTPStatus.BAD_REQUEST, "This is no HTTP/1.1 request."))
        elif request.method not in ("GET", "HEAD"):
            sentence, allowed = "A link can be opened with GET and HEAD only.", {"Allow": "GET, HEAD"}
            await self._send(writer, plain_answer(HTTPStatus.METHOD_NOT_ALLOWED, sentence, allowed))
        elif not request.target.startswith(PATH):
            await self._send(writer, plain_answer(HTTPStatus.NOT_FOUND, "There is nothing here."))
        elif (file := self._tokens.open(request.target.removeprefix(PATH), self._clock())) is None:
            sentence = "This link is not valid or has expired; ask whoever sent it for a new one."
            await self._send(writer, plain_answer(HTTPStatus.FORBIDDEN, sentence))
        else:
            await self._answer_with(file, writer, with_body=request.method == "GET")

    async def _answer_with(self, file: LinkedFile, writer: asyncio.StreamWriter, *, with_body: bool) -> None:
        try:
            # A link was made before its subject's consent was withdrawn, say; the object may be there for a while.
            size = await self._store.size(file.key) if await self._is_shown(file.key) else None
        except NotFoundError:
            size = None
        except UnavailableError:
            sentence = "The image cannot be read just now; try again soon."
            await self._send(writer, plain_answer(HTTPStatus.SERVICE_UNAVAILABLE, sentence, {"Retry-After": "2"}))
            return
        if size is None:
            await self._send(writer, plain_answer(HTTPStatus.NOT_FOUND, "The image was deleted."))
            return
        headers = {
            "Content-Type": file.content_type,
            "Content-Length": str(size),
            "Content-Disposition": f'inline; filename="{file.filename}"',
            "Cache-Control": "private",
        }
        await self._send(writer, answer_head(HTTPStatus.OK, headers))
        if with_body:
            await self._send_file(file, size, writer)

    async def _send_file(self, file: LinkedFile, size: int, writer: asyncio.StreamWriter) -> None:
        for start in range(0, size, _PIECE_BYTES):
            try:
                # Whoever reads slowly would else go on until the object is gone.
                if start and not await self._is_shown(file.key):
                    raise ConnectionAbortedError("the subject is hidden by now")
                piece = await self._store.get_range(file.key, start, min(_PIECE_BYTES, size - start))
            except (NotFoundError, UnavailableError) as error:
                # The head promised more: a cut connection is how the client learns of it.
                raise ConnectionAbortedError(error.reason) from error
            await self._send(writer, piece)

    async def _send(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        async with asyncio.timeout(self._limits.piece_seconds):
            writer.write(data)
            await writer.drain()
