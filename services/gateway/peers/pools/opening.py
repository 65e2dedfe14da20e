"""Opens the channels to all pools."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.engine import Engine

from headshots.rpc.internal.channel import InternalChannel
from headshots.rpc.internal.secret import Secret
from headshots.rpc.internal.settings import InternalSettings
from headshots.rpc.internal.signing import Signer
from services.gateway.peers.generators.rpc import RpcGenerator
from services.gateway.peers.metrics import PoolMetrics
from services.gateway.peers.pools.declared import DeclaredPool
from services.gateway.peers.pools.pools import Pool, Pools
from services.gateway.peers.pools.watching import PoolWatcher
from services.gateway.peers.rpc import RpcTrainer, open_peer


@dataclass(frozen=True)
class OpenedPools:
    """What a gateway knows its trainers and generators by."""

    pools: Pools
    watcher: PoolWatcher
    channels: Sequence[InternalChannel]
    """To close at the end."""


def open_pools(
    declared: Sequence[DeclaredPool],
    default: str,
    internal: InternalSettings,
    database: Engine,
    metrics: PoolMetrics,
    *,
    poll_seconds: float,
) -> OpenedPools:
    """Of the pools that are declared; `default` names the one that work goes to which needs no certain foundation.

    `poll_seconds`: between two looks at a pool and its generators.

    Raises:
        InvalidArgumentError: INTERNAL_KEY_INVALID, CERTIFICATE_INVALID.
    """
    signer, opened, channels = Signer(Secret(internal.key_file)), [], []
    for one in declared:
        trainer, generator = open_peer(one.trainer_address, internal), open_peer(one.generator_address, internal)
        channels += [trainer, generator]
        generators = RpcGenerator(generator, signer, metrics.routing(one.name), poll_seconds=poll_seconds)
        opened.append(Pool(one.name, RpcTrainer(trainer, signer), generators))
    pools = Pools(opened, default, database)
    return OpenedPools(pools, PoolWatcher(pools, database, metrics, poll_seconds=poll_seconds), channels)
