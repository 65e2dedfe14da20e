"""Runs the gateway as a process: `python -m services.gateway`."""

from __future__ import annotations

import logging
import os
import sys

from headshots.errors import HeadshotsError
from headshots.event_loop import run
from headshots.processes.cores import leave_no_core
from headshots.processes.memory import return_freed_memory, shorten_collections
from headshots.processes.scratch import scratch
from headshots.rpc.server import run_until_signal
from headshots.settings import without_analyzer
from headshots.telemetry.starting import telemetry
from services.gateway.settings import GatewaySettings
from services.gateway.wiring import start_gateway

_LOG = logging.getLogger("services.gateway")


async def serve(settings: GatewaySettings) -> None:
    """Runs until SIGTERM or SIGINT, then drains."""
    gateway = await start_gateway(settings)
    shorten_collections()
    if settings.faces == "none":
        _LOG.warning(without_analyzer("gateway"))
    # Watches do not end by themselves; their callers connect to another replica.
    await run_until_signal(gateway.server, drain_seconds=0.5, drain=gateway.drain)
    await gateway.close()


def main() -> int:
    """Starts from the environment; returns the exit status."""
    leave_no_core()
    return_freed_memory()
    try:
        with telemetry("gateway", os.environ):
            settings = GatewaySettings.from_environment(os.environ)
            with scratch(settings.scratch_dir, "HEADSHOTS_GATEWAY_SCRATCH_DIR"):
                run(serve(settings), settings.event_loop)
    except HeadshotsError as error:
        print(f"gateway: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
