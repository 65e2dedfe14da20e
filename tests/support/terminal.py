"""Runs commands as a person at a terminal would, for tests of the command line."""

from __future__ import annotations

import json
from typing import Any

from click.testing import Result
from typer.testing import CliRunner

from headshots.cli.app import app
from tests.support.fake_gateway.gateway import API_KEY, FakeGateway
from tests.support.fake_gateway.styles import STYLES

TWO_STYLES = ("--styles", f"{STYLES[0]},{STYLES[2]}")
"""The option of a shoot over two styles."""


def columns(width: int) -> dict[str, str]:
    """Variables that make stdout and stderr a terminal of this width."""
    return {"COLUMNS": str(width), "FORCE_COLOR": "1", "TERM": "xterm"}


class Terminal:
    """Runs commands against one gateway."""

    def __init__(self, fake: FakeGateway, address: str) -> None:
        self.fake = fake
        self.environment = {"HEADSHOTS_ADDRESS": address, "HEADSHOTS_API_KEY": API_KEY, "COLUMNS": "200"}

    def run(self, *arguments: str, code: int = 0, **more: Any) -> Result:
        """What a command printed; checks its exit code."""
        result = CliRunner().invoke(app, list(arguments), env=self.environment, **more)
        assert result.exit_code == code, result.output
        return result

    def json(self, *arguments: str, code: int = 0) -> Any:
        """What a command printed as JSON; checks its exit code."""
        return json.loads(self.run(*arguments, "--json", code=code).stdout)
