"""Settings from the environment."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path

import pytest

from headshots.errors import InvalidArgumentError
from headshots.settings import Home, make_private, read_port, read_settings


@dataclass(frozen=True)
class Example:
    needed: str
    port: int = 5
    share: float | None = None
    on: bool = False
    folder: Path | None = None


def test_variables_are_typed_and_defaults_kept() -> None:
    environ = {"X_NEEDED": "a", "X_PORT": "7", "X_SHARE": "0.5", "X_ON": "yes", "X_FOLDER": "/tmp/f"}
    assert read_settings(Example, "X_", environ) == Example("a", 7, 0.5, True, Path("/tmp/f"))
    assert read_settings(Example, "X_", {}, needed="b", port=9) == Example("b", 9)


@pytest.mark.parametrize(
    ("environ", "reason"),
    [
        ({}, "SETTING_MISSING: set X_NEEDED"),
        ({"X_NEEDED": "a", "X_PORT": "seven"}, "SETTING_INVALID: X_PORT='seven'"),
        ({"X_NEEDED": "a", "X_PORT": "99999"}, "SETTING_INVALID: X_PORT='99999' .* a port is 0 to 65535"),
    ],
)
def test_a_bad_variable_is_named(environ: dict[str, str], reason: str) -> None:
    with pytest.raises(InvalidArgumentError, match=reason):
        read_settings(Example, "X_", environ)


def test_a_misspelt_variable_is_told(caplog: pytest.LogCaptureFixture) -> None:
    environ = {"X_NEEDED": "a", "X_PROT": "7", "X_ELEPHANT": "grey", "Y_PROT": "7"}
    assert read_settings(Example, "X_", environ) == Example("a")
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 2
    assert told[0].startswith("X_ELEPHANT is no setting and is ignored (")
    assert told[1].startswith("X_PROT is no setting and is ignored; did you mean X_PORT?")


def test_a_port_alone_is_read_as_settings_are() -> None:
    assert read_port({"X_PORT": ""}, "X_PORT", 5) == 5
    assert read_port({"X_PORT": "0"}, "X_PORT", 5) == 0
    with pytest.raises(InvalidArgumentError, match="X_PORT='many'"):
        read_port({"X_PORT": "many"}, "X_PORT", 5)


def test_a_private_folder_is_its_owners_and_so_are_those_made_above_it(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir(mode=0o755)
    folder = tmp_path / "there" / "home" / "engines"
    for _ in range(2):
        make_private(folder)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "there", folder.parent, folder)]
    assert modes == [0o755, 0o700, 0o700]


def test_home_holds_the_embedded_defaults(tmp_path: Path) -> None:
    home = Home.from_environment({"HEADSHOTS_HOME": str(tmp_path)})
    assert home.database_url == f"sqlite:///{tmp_path}/headshots.db"
    assert home.store_url == f"file://{tmp_path}/objects"
