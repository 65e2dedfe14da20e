"""A generator as a process of its own."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from headshots.rpc.channel import open_channel
from tests.support.ports import free_port
from tests.support.waiting import PATIENCE_SECONDS


@contextmanager
def process(home: Path, **settings: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A started generator and its address; killed at the end if it still lives."""
    port = free_port()
    environment = {
        **os.environ,
        "HEADSHOTS_HOME": str(home),
        "HEADSHOTS_GENERATOR_PORT": str(port),
        "HEADSHOTS_GENERATOR_METRICS_PORT": "0",
        "HEADSHOTS_GENERATOR_THREADS": "1",
        "HEADSHOTS_GENERATOR_DRAIN_SECONDS": str(PATIENCE_SECONDS),
        **settings,
    }
    with subprocess.Popen(
        [sys.executable, "-m", "services.generator"], env=environment, stderr=subprocess.PIPE, text=True
    ) as child:
        try:
            yield child, f"127.0.0.1:{port}"
        finally:
            child.kill()


async def serving(address: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until health says SERVING, ``seconds`` at most."""
    async with asyncio.timeout(seconds), open_channel(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        request = health_pb2.HealthCheckRequest(service="headshots.v1.GeneratorService")
        status = None
        while status != health_pb2.HealthCheckResponse.SERVING:
            try:
                status = (await stub.Check(request, wait_for_ready=True)).status
            except grpc.RpcError:
                await asyncio.sleep(0.1)
