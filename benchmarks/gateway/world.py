"""Runs gateways on SQLite or PostgreSQL, with stand-ins for generators and trainers, each in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path

import grpc.aio

from headshots import keys
from headshots.client import AsyncHeadshots
from headshots.database import migrate, open_database
from headshots.processes.fleet import Fleet
from headshots.processes.log_files import LogFiles
from headshots.processes.serving import wait_until_serving
from tests.support.deploy import postgres
from tests.support.gateway.caller import Caller
from tests.support.paths import environment_of_services
from tests.support.ports import free_port
from tests.support.waiting import PATIENCE_SECONDS, until

DATABASES = ("sqlite", "postgresql")
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_STUBS = "benchmarks.gateway.stubs"


class LoadWorld:
    """Replicas of every service on ports of their own; `open` starts one of each, or as many as asked."""

    def __init__(
        self,
        home: Path,
        database_url: str,
        *,
        shot_seconds: float = 0.05,
        step_seconds: float = 0.0,
        replicas: int = 1,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """`shot_seconds` is what an image takes, `step_seconds` a step of a training; `settings` are of gateways."""
        self.home = home
        self.database_url = database_url
        self._seconds = {"generator": shot_seconds, "trainer": step_seconds}
        kinds = ("generator", "trainer", "gateway")
        self._ports = {f"{kind}-{number}": free_port() for kind in kinds for number in range(replicas)}
        self.logs = LogFiles(home / "logs")
        self._fleet = Fleet(self.logs, inherited=environment_of_services())
        self._environment = {
            "HEADSHOTS_HOME": str(home),
            "HEADSHOTS_DATABASE_URL": database_url,
            "HEADSHOTS_GATEWAY_TRAINER_ADDRESS": self.addresses("trainer"),
            "HEADSHOTS_GATEWAY_GENERATOR_ADDRESS": self.addresses("generator"),
            "HEADSHOTS_GATEWAY_METRICS_PORT": "0",
            **(settings or {}),
        }
        self._database = open_database(database_url)

    def addresses(self, kind: str) -> str:
        """All replicas of a service, as gRPC takes them."""
        found = [f"127.0.0.1:{port}" for name, port in self._ports.items() if name.startswith(kind)]
        return found[0] if len(found) == 1 else f"ipv4:{','.join(found)}"

    @property
    def names(self) -> list[str]:
        """Of all replicas, in the order in which they are started."""
        return list(self._ports)

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Runs all of it; what the services said is shown where the block fails."""
        try:
            await asyncio.to_thread(migrate, self._database)
            self.start(*self.names)
            yield
        except BaseException:
            for name in self._ports:
                print(f"--- {name}\n{self.logs.tail(name, lines=30)}")
            raise
        finally:
            self._fleet.stop()
            self._database.dispose()

    def start(self, *names: str) -> None:
        """Starts replicas and waits until they serve."""
        self.launch(*names)
        self.wait(*names)

    def launch(self, *names: str) -> None:
        """Starts replicas; from the main thread, as they end with the thread that starts them."""
        for name in names:
            kind, port = name.partition("-")[0], str(self._ports[name])
            if kind == "gateway":
                environment = {**self._environment, "HEADSHOTS_GATEWAY_PORT": port}
                self._fleet.start(name, "services.gateway", environment)
            else:
                arguments = [kind, "--home", str(self.home), "--port", port, "--seconds", str(self._seconds[kind])]
                self._fleet.start(name, _STUBS, {}, arguments)

    def wait(self, *names: str) -> None:
        """Until replicas serve."""
        at = {name: f"127.0.0.1:{self._ports[name]}" for name in names}
        wait_until_serving(self._fleet, at, timeout_seconds=PATIENCE_SECONDS, on_serving=lambda _: None)

    async def replace(self, name: str) -> int:
        """Ends a replica as an update does and starts it anew, until it serves; the exit code of the first."""
        os.kill(self._fleet.pids()[name], signal.SIGTERM)
        await until(lambda: self._fleet.exit_code(name) is not None)
        code = self._fleet.exit_code(name)
        assert code is not None
        self._fleet.kill(name)
        self.launch(name)
        await asyncio.to_thread(self.wait, name)
        return code

    def client(self, key: str) -> AsyncHeadshots:
        """The SDK, as another backend uses it."""
        return AsyncHeadshots(self.addresses("gateway"), key)

    def key(self, tenant: str) -> str:
        """A new API key of a tenant."""
        return keys.create_key(self._database, tenant)

    @contextlib.asynccontextmanager
    async def caller(self, tenant: str) -> AsyncIterator[Caller]:
        """A client of a tenant, on a connection of its own."""
        async with self.channel() as channel:
            yield Caller(channel, self.key(tenant))

    def channel(self) -> grpc.aio.Channel:
        """A connection of its own, as another client process has."""
        return grpc.aio.insecure_channel(self.addresses("gateway"), [("grpc.use_local_subchannel_pool", 1)])

    def cpu_seconds(self, name: str = "gateway-0") -> float:
        """That a replica has used so far, its threads included and its children not."""
        fields = Path(f"/proc/{self._fleet.pids()[name]}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND


@contextlib.contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """The URL of a new database; PostgreSQL's server ends with the block."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'headshots.db'}"
        return
    with postgres.server() as url:
        yield postgres.fresh_database(url)


def on_each_database(
    measure: Callable[[str, Path], Awaitable[dict[str, float]]], databases: tuple[str, ...]
) -> dict[str, dict[str, float]]:
    """What `measure` finds, given a database and a folder that goes with it, by the kind of database."""
    found = {}
    for kind in databases:
        with tempfile.TemporaryDirectory(prefix="headshots-load-") as name, database(kind, Path(name)) as url:
            found[kind] = asyncio.run(_awaited(measure(url, Path(name))))
    return found


async def _awaited(result: Awaitable[dict[str, float]]) -> dict[str, float]:
    return await result


def worst(found: Mapping[str, Mapping[str, float]], key: str) -> float:
    """The larger of what both databases came to."""
    return max(each[key] for each in found.values())
