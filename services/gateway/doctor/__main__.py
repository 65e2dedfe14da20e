"""Looks at what a gateway depends on: `python -m services.gateway.doctor`, a line of JSON a result.

`--together` is for a gateway that is started with its trainer and generator: as long as it does not run, they need not.
"""

from __future__ import annotations

import sys

from headshots.doctor.ports import answers
from headshots.doctor.processes import tell
from headshots.doctor.running import Check
from services.gateway.doctor.checks import SERVICE, checks
from services.gateway.doctor.rpc import peer_checks
from services.gateway.settings import GatewaySettings


def _all_checks(settings: GatewaySettings) -> list[Check]:
    may_be_away = "--together" in sys.argv and not answers(settings.server, SERVICE)
    return [*checks(settings), *peer_checks(settings, may_be_away=may_be_away)]


if __name__ == "__main__":
    tell("gateway", GatewaySettings.from_environment, _all_checks)
