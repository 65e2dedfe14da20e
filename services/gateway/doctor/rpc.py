"""Calls the trainers and generators of a gateway as it would, to see whether they answer and what they run."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from headshots.doctor.findings import Finding, failed, ok, skipped, warning
from headshots.doctor.running import Check, describe
from headshots.errors import HeadshotsError, UnavailableError
from headshots.rpc.channel import NO_RETRIES, error_from_rpc
from headshots.rpc.internal.channel import InternalChannel
from headshots.rpc.internal.grants import Grant
from headshots.rpc.internal.secret import Secret
from headshots.rpc.internal.signing import Signer
from headshots.rpc.ports import is_answered
from headshots.schema import MAIN_POOL
from headshots.v1 import generator_pb2, generator_pb2_grpc, trainer_pb2, trainer_pb2_grpc
from services.gateway.peers.addresses import replica_addresses
from services.gateway.peers.granting import GENERATOR, TRAINER, describing
from services.gateway.peers.pools.declared import DeclaredPool
from services.gateway.peers.rpc import open_peer
from services.gateway.settings import GatewaySettings

ANSWER_SECONDS = 5.0
"""Within which each call is answered."""
_CHECK_SECONDS = 60.0
_SERVING = health_pb2.HealthCheckResponse.SERVING
_SAME_SECRET = "give gateway, trainer and generator the same secret, and set their clocks (docs/operations.md, Inside)"


@dataclass(frozen=True)
class _Kind:
    """A kind of peer: how it is called, and what it is to be asked."""

    name: str
    stub: Any
    method: str
    request: Any
    grant: Grant


_KINDS = (
    _Kind(
        TRAINER,
        trainer_pb2_grpc.TrainerServiceStub,
        "DescribeTrainer",
        trainer_pb2.DescribeTrainerRequest(),
        Grant(TRAINER, "DescribeTrainer"),
    ),
    _Kind(
        GENERATOR,
        generator_pb2_grpc.GeneratorServiceStub,
        "DescribeGenerator",
        generator_pb2.DescribeGeneratorRequest(),
        describing(),
    ),
)


def peer_checks(settings: GatewaySettings, *, may_be_away: bool) -> list[Check]:
    """A check of each pool's trainers and generators, and one of whether those of a pool run the same foundation.

    `may_be_away`: nobody has started them yet, so that one whom nobody answers for is no failure.
    """
    found = {pool.name: _Found() for pool in settings.declared_pools}
    looks = [
        _PeerLook(kind, pool, settings, found[pool.name], may_be_away)
        for pool in settings.declared_pools
        for kind in _KINDS
    ]
    cure = "see the finding, and the peer's own log"
    return [
        *(Check(each.name, each.look, cure, _CHECK_SECONDS) for each in looks),
        *(Check(_of_pool("same foundation", name), partial(_compare, told), "") for name, told in found.items()),
        *([Check("pools", lambda: _compare_pools(found), "")] if len(found) > 1 else []),
    ]


_Found = dict[str, tuple[str, str]]
"""Names and digests of foundations, by who told them."""


def _of_pool(what: str, pool: str) -> str:
    return what if pool == MAIN_POOL else f"{what} of pool {pool}"


class _PeerLook:
    """Looks at every server behind the address of one kind of peer."""

    def __init__(
        self,
        kind: _Kind,
        pool: DeclaredPool,
        settings: GatewaySettings,
        found: _Found,
        may_be_away: bool,
    ) -> None:
        """`found` is where names and digests of foundations go, by peer."""
        self.kind, self._internal, self.name = kind, settings.internal, _of_pool(kind.name, pool.name)
        self._address = pool.trainer_address if kind.name == TRAINER else pool.generator_address
        own = f"HEADSHOTS_GATEWAY_{kind.name.upper()}_ADDRESS"
        self._variable = own if pool.name == MAIN_POOL else f"{pool.name} in HEADSHOTS_GATEWAY_POOLS"
        self._may_be_none = settings.scaler_port is not None
        self._found, self._may_be_away = found, may_be_away

    def look(self) -> list[Finding]:
        """A finding for each server behind the name."""
        try:
            addresses = replica_addresses(self._address)
        except OSError as error:
            cure = f"correct {self._variable}, or see that there is a Service of that name and that DNS is reached"
            return [self._nobody(f"{self._address} does not resolve: {error.strerror}", cure)]
        if self._may_be_away and not any(map(is_answered, addresses)):
            return [skipped(f"nobody listens at {self._address} yet; `headshots serve all` starts it")]
        return asyncio.run(self._look_at_all(addresses))

    async def _look_at_all(self, addresses: list[str]) -> list[Finding]:
        named = open_peer(self._address, self._internal)
        return [await self._look_at(named.replica(address, NO_RETRIES), address) for address in addresses]

    async def _look_at(self, channel: InternalChannel, address: str) -> Finding:
        kind = self.kind.name
        try:
            async with channel.held() as held:
                health = health_pb2_grpc.HealthStub(held)
                status = await health.Check(health_pb2.HealthCheckRequest(), timeout=ANSWER_SECONDS)
                if status.status != _SERVING:
                    return warning(
                        f"{address} answers and does not serve: it starts, or drains",
                        f"wait; if it stays so, run `headshots doctor {kind}` there and see its log",
                    )
                return await self._describe(held, address)
        except grpc.aio.AioRpcError as error:
            ours = error_from_rpc(error)
            seen, cure = f"{address}: {describe(ours)}", self._cure(ours)
            return self._nobody(seen, cure) if isinstance(ours, UnavailableError) else failed(seen, cure)
        finally:
            await channel.close()

    async def _describe(self, held: grpc.aio.Channel, address: str) -> Finding:
        if not self._internal.key_file.exists():
            return skipped(f"{address} serves; what it runs cannot be asked without the secret of internal calls")
        metadata = Signer(Secret(self._internal.key_file)).metadata(self.kind.grant)
        call = getattr(self.kind.stub(held), self.kind.method)
        answer = await call(self.kind.request, timeout=ANSWER_SECONDS, metadata=metadata)
        self._found[f"{self.kind.name} {address}"] = answer.foundation, answer.foundation_digest
        return ok(f"{address} serves {answer.foundation}, digest {answer.foundation_digest[:12]}…")

    def _nobody(self, seen: str, cure: str) -> Finding:
        """Of a peer that is not there: where KEDA asks this gateway for work, there is none while there is no work."""
        if self._may_be_none:
            return warning(f"{seen}; it may have been scaled to zero", f"if there is work for it: {cure}")
        return failed(seen, cure)

    def _cure(self, error: HeadshotsError) -> str:
        if error.reason.startswith("GRANT_"):
            return _SAME_SECRET
        tls = "its certificate's names and CA, " if self._internal.has_certificates else ""
        return (
            f"see that the {self.kind.name} runs and serves there, {tls}and that this machine may reach it (a "
            f"NetworkPolicy, a firewall); `headshots doctor {self.kind.name}` there tells more"
        )


def _compare(found: _Found) -> Finding:
    if len(found) < 2:
        return skipped("fewer than two trainers and generators told what they run")
    digests = {digest for _, digest in found.values()}
    if len(digests) == 1:
        name, digest = next(iter(found.values()))
        return ok(f"all {len(found)} run {name}, digest {digest[:12]}…")
    told = "; ".join(f"{peer}: {name}, {digest[:12]}…" for peer, (name, digest) in found.items())
    return failed(
        f"they run different foundations: {told}",
        "set HEADSHOTS_FOUNDATION of trainers and generators to the same folder, or export the engine package "
        "(HEADSHOTS_GENERATOR_PACKAGE) from the trainers' foundation: adapters fit no other",
    )


def _compare_pools(found: Mapping[str, _Found]) -> Finding:
    """Whether each pool has a foundation of its own."""
    pools: dict[str, list[str]] = {}
    for pool, told in found.items():
        for digest in sorted({digest for _, digest in told.values()}):
            pools.setdefault(digest, []).append(pool)
    for digest, names in pools.items():
        if len(names) > 1:
            return warning(
                f"pools {', '.join(names)} run the same foundation, digest {digest[:12]}…: work goes to one of them",
                "give each pool its own foundation (HEADSHOTS_FOUNDATION), or make one pool of them with more replicas",
            )
    if not pools:
        return skipped("no pool told what it runs")
    return ok("; ".join(f"{names[0]}: {digest[:12]}…" for digest, names in pools.items()))
