"""A server that does nothing: whatever it is asked, it answers with the same bytes. What gRPC costs without a gateway.

A stream of it answers as a stand-in for a generator does, two messages at once and one later, and that one tells how
many seconds the server itself had it.

``python -m benchmarks.gateway.bare --port PORT``, with the answer on standard input.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio

from tests.support.ports import free_port
from tests.support.waiting import PATIENCE_SECONDS

METHOD = "/bare.Bare/Answer"
STREAM = "/bare.Bare/Stream"


async def _serve(port: int, answer: bytes) -> None:
    async def call(_request: bytes, _context: Any) -> bytes:
        return answer

    async def stream(request: bytes, _context: Any) -> AsyncIterator[bytes]:
        begin = time.monotonic()
        yield answer
        yield answer
        await asyncio.sleep(begin + float(request) - time.monotonic())
        yield f"{time.monotonic() - begin:.6f}".encode()

    server = grpc.aio.server()
    handlers = {
        "Answer": grpc.unary_unary_rpc_method_handler(call),
        "Stream": grpc.unary_stream_rpc_method_handler(stream),
    }
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("bare.Bare", handlers)])
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


@contextlib.asynccontextmanager
async def running(answer: bytes) -> AsyncIterator[str]:
    """The address of such a server in a process of its own, which ends with the block."""
    port = free_port()
    command = (sys.executable, "-m", "benchmarks.gateway.bare", "--port", str(port))
    process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.PIPE)
    try:
        assert process.stdin is not None
        process.stdin.write(answer)
        process.stdin.close()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            await asyncio.wait_for(channel.channel_ready(), PATIENCE_SECONDS)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def stream_seconds(answer_seconds: float, count: int) -> list[float]:
    """What streams take beyond the server's own time, one after another; each ends `answer_seconds` after it began."""
    beyond = []
    async with running(b"") as address, grpc.aio.insecure_channel(address) as channel:
        call = channel.unary_stream(STREAM)
        for _ in range(count):
            begin, last = time.monotonic(), b""
            async for message in call(f"{answer_seconds}".encode()):
                last = message
            beyond.append(time.monotonic() - begin - float(last))
    return beyond


def main() -> None:
    """Runs until it is ended."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, required=True)
    asyncio.run(_serve(parser.parse_args().port, sys.stdin.buffer.read()))


if __name__ == "__main__":
    main()
