"""Keys and certificates are read as services read them, and none is made."""

from __future__ import annotations

from pathlib import Path

import pytest

from headshots.doctor.credentials import internal_checks
from headshots.doctor.findings import Result, State
from headshots.doctor.running import run
from headshots.doctor.secrets import Redactor
from headshots.rpc.internal.secret import Secret
from headshots.rpc.internal.settings import InternalSettings
from tests.support.certificates import Authority, settings_with
from tests.support.grants import KEY_FILE


def looked_at(settings: InternalSettings, *, server: bool = True) -> dict[str, Result]:
    return {each.check: each for each in run("trainer", internal_checks(settings, server=server), Redactor({}))}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("ca") / "ca")


def test_what_the_first_start_makes_is_not_made(tmp_path: Path) -> None:
    found = looked_at(InternalSettings(tmp_path / KEY_FILE))
    assert (found["internal key"].state, found["internal TLS"].state) == (State.OK, State.SKIPPED)
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_is_none_is_a_failure_and_not_told(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_text("geheim")
    found = looked_at(InternalSettings(tmp_path / KEY_FILE))["internal key"]
    assert found.state is State.FAILED
    assert found.seen.startswith("INTERNAL_KEY_INVALID")
    assert "geheim" not in found.seen
    assert "HEADSHOTS_INTERNAL_KEY_FILE" in found.cure


def test_a_key_that_is_one_is_fine(tmp_path: Path) -> None:
    Secret(tmp_path / KEY_FILE)
    found = looked_at(InternalSettings(tmp_path / KEY_FILE))["internal key"]
    assert found.state is State.OK
    assert (tmp_path / KEY_FILE).read_text().strip() not in found.seen


@pytest.mark.parametrize(
    ("days", "kind", "server", "state", "seen"),
    [
        (20, "server", True, State.OK, "20 days"),
        (20, "client", False, State.OK, "20 days"),
        (10, "server", True, State.WARNING, "10 days"),
        (10, "client", False, State.WARNING, "10 days"),
        (-1, "server", True, State.FAILED, "expired"),
        (20, "client", True, State.FAILED, "refused"),
        (20, "server", False, State.FAILED, "refused"),
    ],
)
def test_certificates_are_held_to_what_they_are_for_and_how_long(
    tmp_path: Path, authority: Authority, days: int, kind: str, server: bool, state: State, seen: str
) -> None:
    settings = settings_with(authority.issue(tmp_path / "tls", kind=kind, days=days), tmp_path)
    found = looked_at(settings, server=server)["internal TLS"]
    assert (found.state, seen in found.seen) == (state, True), found
    assert bool(found.cure) == (state is not State.OK)


def test_a_key_of_another_certificate_is_a_failure(tmp_path: Path, authority: Authority) -> None:
    folder = authority.issue(tmp_path / "tls")
    (folder / "tls.key").write_bytes((authority.issue(tmp_path / "other") / "tls.key").read_bytes())
    found = looked_at(settings_with(folder, tmp_path))["internal TLS"]
    assert found.state is State.FAILED
    assert "the key is not the certificate's" in found.seen
    assert "PRIVATE KEY" not in found.seen
