"""What `serve all` tells the services of each other and of faces, and where the caller's own word counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from headshots.cli.serve import default_environment
from headshots.settings import default_faces, default_foundation

ADDRESSES = {"gateway": "127.0.0.1:1", "trainer": "127.0.0.1:2", "generator": "127.0.0.1:3"}
NAMES = ("GATEWAY_TRAINER_ADDRESS", "GATEWAY_GENERATOR_ADDRESS", "GATEWAY_FACES", "TRAINER_FACES")


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(f"HEADSHOTS_{name}", raising=False)


def test_the_gateway_finds_the_others_on_whatever_ports_they_have() -> None:
    environment = default_environment(ADDRESSES, None)
    assert environment["HEADSHOTS_GATEWAY_TRAINER_ADDRESS"] == "127.0.0.1:2"
    assert environment["HEADSHOTS_GATEWAY_GENERATOR_ADDRESS"] == "127.0.0.1:3"


def test_what_the_caller_has_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSHOTS_GATEWAY_TRAINER_ADDRESS", "gpu-box:50052")
    monkeypatch.setenv("HEADSHOTS_GATEWAY_FACES", "none")
    environment = default_environment(ADDRESSES, None)
    assert environment.keys() == {"HEADSHOTS_GATEWAY_GENERATOR_ADDRESS", "HEADSHOTS_TRAINER_FACES"}


def test_drawn_people_are_judged_by_the_analyzer_that_knows_them_and_real_ones_by_none(tmp_path: Path) -> None:
    of_bundled, of_real = (default_environment(ADDRESSES, folder) for folder in (default_foundation(), tmp_path))
    assert of_bundled["HEADSHOTS_GATEWAY_FACES"] == of_bundled["HEADSHOTS_TRAINER_FACES"] == "bundled"
    assert of_real["HEADSHOTS_GATEWAY_FACES"] == of_real["HEADSHOTS_TRAINER_FACES"] == "none"


def test_a_checkout_without_the_analyzer_has_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("headshots.settings.default_analyzer", lambda: tmp_path)
    assert default_faces(default_foundation()) == "none"
