"""All wrong variables of a service are told, and what is right is still read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from headshots.doctor.parsing import Parsed, parse
from services.gateway.settings import GatewaySettings
from services.generator.settings import GeneratorSettings
from services.trainer.settings import TrainerSettings


def told(parsed: Parsed[Any]) -> list[tuple[str, str]]:
    """State and first variable of each finding."""
    return [
        (each.state.value, each.seen.partition("HEADSHOTS_")[2].split("=")[0].split()[0]) for each in parsed.findings
    ]


def test_several_at_once_are_told_each_with_the_cure(tmp_path: Path) -> None:
    environ = {
        "HEADSHOTS_HOME": str(tmp_path),
        "HEADSHOTS_GATEWAY_PORT": "many",
        "HEADSHOTS_GATEWAY_FACES": "guess",
        "HEADSHOTS_GATEWAY_SHOTS_IN_FLIGHT": "0",
        "HEADSHOTS_GATEWAY_LINKS_URL": "nowhere",
        "HEADSHOTS_GATEWAY_GENERATOR_ADDRESS": "generator",
        "HEADSHOTS_GATEWAY_POLL_SECONDS": "3.5",
        "HEADSHOTS_GATEWAY_PROT": "1",
    }
    parsed = parse(GatewaySettings.from_environment, environ)
    assert sorted(told(parsed)) == [
        ("failed", "GATEWAY_FACES"),
        ("failed", "GATEWAY_GENERATOR_ADDRESS"),
        ("failed", "GATEWAY_LINKS_URL"),
        ("failed", "GATEWAY_PORT"),
        ("failed", "GATEWAY_SHOTS_IN_FLIGHT"),
        ("warning", "GATEWAY_PROT"),
    ]
    assert all(each.cure for each in parsed.findings)
    assert parsed.settings is not None
    assert (parsed.settings.poll_seconds, parsed.settings.port) == (3.5, 50051)
    slip = parsed.findings[-1].seen
    assert "did you mean HEADSHOTS_GATEWAY_PORT?" in slip


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"HEADSHOTS_INTERNAL_CERTIFICATE_FILE": "/tls.crt"}, "SETTING_INVALID"),
        ({"HEADSHOTS_MARKING_C2PA_KEY": "/key.pem"}, "SETTING_MISSING"),
        ({"HEADSHOTS_GENERATOR_HOST": "0.0.0.0"}, "INTERNAL_PORT_OPEN"),
    ],
)
def test_a_variable_that_is_missing_does_not_hide_others(
    tmp_path: Path, variables: dict[str, str], reason: str
) -> None:
    environ = {"HEADSHOTS_HOME": str(tmp_path), **variables, "HEADSHOTS_GENERATOR_DEVICE": "first"}
    parsed = parse(GeneratorSettings.from_environment, environ)
    assert {each.seen.partition(":")[0] for each in parsed.findings} == {reason, "SETTING_INVALID"}
    assert any("HEADSHOTS_GENERATOR_DEVICE='first'" in each.seen for each in parsed.findings)
    assert parsed.settings is not None


def test_settings_that_are_right_are_one_finding(tmp_path: Path) -> None:
    parsed = parse(TrainerSettings.from_environment, {"HEADSHOTS_HOME": str(tmp_path), "PATH": "/bin"})
    assert [(each.state, each.seen) for each in parsed.findings] == [
        ("ok", "can be read; 1 HEADSHOTS_ variables are set")
    ]


def test_what_no_variable_is_to_blame_for_ends_the_reading() -> None:
    def read(environ: object) -> object:
        from headshots.errors import InvalidArgumentError

        raise InvalidArgumentError("SETTING_INVALID", "the moon is full")

    parsed = parse(read, {"HEADSHOTS_HOME": "/home"})
    assert parsed.settings is None
    assert [each.cure.endswith("nothing below can be checked") for each in parsed.findings] == [True]
