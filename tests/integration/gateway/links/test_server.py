"""The links port answers nothing but links, and no client takes more than its place."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from headshots.artifacts import ArtifactStore
from headshots.errors import UnavailableError
from headshots.rpc.internal.secret import Secret
from services.gateway.links.makers import PATH
from services.gateway.links.models import LinkedFile
from services.gateway.links.server import LinkLimits, LinkServer
from services.gateway.links.tokens import LinkTokens
from tests.support.gateway.http import HttpAnswer, send
from tests.support.waiting import PATIENCE_SECONDS, until

KEY = "tenants/acme/subjects/s/images/a.png"
# More than the buffers of both ends of a connection take.
CONTENT = bytes(range(256)) * 2**16


class Port:
    """A links port over a store with one image."""

    def __init__(self, folder: Path) -> None:
        self.store = ArtifactStore.open((folder / "objects").as_uri())
        self.store.put_sync(KEY, CONTENT)
        self.tokens = LinkTokens(Secret(folder / "key"))
        self.shown = True

    async def is_shown(self, key: str) -> bool:
        return self.shown

    @contextlib.asynccontextmanager
    async def listening(self, limits: LinkLimits | None = None) -> AsyncIterator[int]:
        server = LinkServer(self.store, self.tokens, self.is_shown, limits, clock=lambda: 1000.0)
        port = await server.start("127.0.0.1", 0)
        try:
            yield port
        finally:
            await server.stop()

    def path(self, key: str = KEY) -> str:
        return PATH + self.tokens.sign(LinkedFile(key, "image/png", "a.png"), 2000)

    async def get(self, port: int) -> HttpAnswer:
        return await send(port, f"GET {self.path()} HTTP/1.1\r\n\r\n".encode())


@pytest.fixture
def port(tmp_path: Path) -> Port:
    return Port(tmp_path)


async def test_a_file_arrives_whole_in_pieces(port: Port) -> None:
    async with port.listening() as number:
        answers = await asyncio.gather(*(port.get(number) for _ in range(3)))
    assert [(answer.status, answer.body == CONTENT) for answer in answers] == [(200, True)] * 3


REFUSED = {
    "GET / HTTP/1.1": 404,
    "GET /images HTTP/1.1": 404,
    "GET /metrics HTTP/1.1": 404,
    "GET http://127.0.0.1{path} HTTP/1.1": 404,
    "GET /x/..{path} HTTP/1.1": 404,
    "GET //images/a HTTP/1.1": 404,
    "GET {path}?download=1 HTTP/1.1": 403,
    "GET {path}/ HTTP/1.1": 403,
    "GET {path}%00 HTTP/1.1": 403,
    "GET /images/tenants/acme HTTP/1.1": 403,
    "POST {path} HTTP/1.1": 405,
    "DELETE {path} HTTP/1.1": 405,
    "OPTIONS * HTTP/1.1": 405,
    "GET {path}": 400,
    "GET {path} HTTP/2.0": 400,
    "\x16\x03\x01": 400,
    "": 400,
    "GET {path} HTTP/1.1\r\nX-Long: " + "a" * 2**16: 431,
}


@pytest.mark.parametrize("request_line", REFUSED)
async def test_nothing_but_the_path_of_a_link_is_answered(port: Port, request_line: str) -> None:
    request = request_line.replace("{path}", port.path()).encode() + b"\r\n\r\n"
    async with port.listening() as number:
        answer = await send(number, request)
    assert answer.status == REFUSED[request_line]
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert len(answer.text.splitlines()) == 1
    assert "tenants" not in answer.text


async def test_a_file_that_is_gone_is_404_and_a_store_that_fails_is_503(port: Port, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"a secret")
    (tmp_path / "objects" / "link.png").symlink_to(outside)
    async with port.listening() as number:
        for key, status in (("tenants/acme/subjects/s/images/b.png", 404), ("link.png", 503)):
            answer = await send(number, f"GET {port.path(key)} HTTP/1.1\r\n\r\n".encode())
            assert answer.status == status
            assert "secret" not in answer.text


async def read_to_the_end(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the server ends the connection, however it does."""
    received = bytearray()
    with contextlib.suppress(ConnectionResetError):
        async with asyncio.timeout(PATIENCE_SECONDS):
            while piece := await reader.read(2**16):
                received += piece
    return bytes(received)


@pytest.mark.parametrize("sent", [b"", b"GET ", b"GET /images/a HTTP/1.1\r\nHost: a\r\n"])
async def test_who_sends_no_whole_request_is_cut_off(port: Port, sent: bytes) -> None:
    async with port.listening(LinkLimits(head_seconds=0.1)) as number:
        reader, writer = await asyncio.open_connection("127.0.0.1", number)
        writer.write(sent)
        assert await read_to_the_end(reader) == b""
        writer.close()
        assert (await port.get(number)).status == 200


@pytest.mark.parametrize("limits", [LinkLimits(piece_seconds=0.1), LinkLimits(total_seconds=0.1)])
async def test_who_reads_too_slowly_is_cut_off(port: Port, limits: LinkLimits) -> None:
    async with port.listening(limits) as number:
        reader, writer = await asyncio.open_connection("127.0.0.1", number, limit=2**12)
        writer.write(f"GET {port.path()} HTTP/1.1\r\n\r\n".encode())
        # Whoever waits for long enough finds the connection ended: longer than both limits.
        await asyncio.sleep(1.0)
        assert len(await read_to_the_end(reader)) < len(CONTENT)
        writer.close()


async def test_more_clients_than_there_are_places_are_told_to_come_back(port: Port) -> None:
    async with port.listening(LinkLimits(connections=2)) as number:
        waiting = [await asyncio.open_connection("127.0.0.1", number) for _ in range(2)]
        reader, writer = await asyncio.open_connection("127.0.0.1", number)
        refused = await read_to_the_end(reader)
        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nRetry-After: 2\r\n" in refused
        writer.close()
        for _, one in waiting:
            one.close()
            await one.wait_closed()
        await until(lambda: is_served(port, number))


async def is_served(port: Port, number: int) -> bool:
    """Whether there is a place; one that is refused may be cut off before it reads why."""
    with contextlib.suppress(ConnectionResetError):
        return (await port.get(number)).status == 200
    return False


async def test_stopping_ends_what_is_being_sent(port: Port) -> None:
    async with port.listening(LinkLimits(piece_seconds=math.inf, total_seconds=math.inf)) as number:
        reader, writer = await asyncio.open_connection("127.0.0.1", number, limit=2**12)
        writer.write(f"GET {port.path()} HTTP/1.1\r\n\r\n".encode())
        assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
    assert len(await read_to_the_end(reader)) < len(CONTENT)
    writer.close()


async def test_whoever_reads_slowly_gets_no_more_once_the_subject_is_hidden(port: Port) -> None:
    async with port.listening(LinkLimits(piece_seconds=math.inf, total_seconds=math.inf)) as number:
        reader, writer = await asyncio.open_connection("127.0.0.1", number, limit=2**12)
        writer.write(f"GET {port.path()} HTTP/1.1\r\n\r\n".encode())
        assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
        port.shown = False
        assert len(await read_to_the_end(reader)) < len(CONTENT)
        writer.close()
        assert (await port.get(number)).status == 404


async def test_a_taken_port_is_told_with_its_variable(port: Port) -> None:
    async with port.listening() as number:
        with pytest.raises(UnavailableError, match="HEADSHOTS_GATEWAY_LINKS_PORT") as caught:
            await LinkServer(port.store, port.tokens, port.is_shown).start("127.0.0.1", number)
        assert caught.value.reason == "ADDRESS_IN_USE"
