"""`headshots tenants` grants and takes back the right to high priority, in the database."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from headshots.cli.app import app
from headshots.console.exits import ExitCode


def run(home: Path, *arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, [*arguments], env={"HEADSHOTS_HOME": str(home)})
    assert result.exit_code == code, result.output
    return result.stdout


def weights(home: Path) -> dict[str, int]:
    return {each["id"]: each["high_weight"] for each in json.loads(run(home, "tenants", "list", "--json"))}


def test_the_right_is_granted_listed_and_taken_back(tmp_path: Path) -> None:
    for tenant in ("acme", "globex"):
        run(tmp_path, "keys", "create", "--tenant", tenant)
    assert weights(tmp_path) == {"acme": 1, "globex": 1}
    run(tmp_path, "tenants", "grant-high", "acme")
    assert weights(tmp_path) == {"acme": 4, "globex": 1}
    granted = json.loads(run(tmp_path, "tenants", "grant-high", "globex", "--weight", "8", "--limit", "5", "--json"))
    assert granted == {"tenant": "globex", "high_weight": 8, "high_limit": 5}
    assert [each["high_limit"] for each in json.loads(run(tmp_path, "tenants", "list", "--json"))] == [64, 5]
    run(tmp_path, "tenants", "revoke-high", "acme")
    assert weights(tmp_path) == {"acme": 1, "globex": 8}
    assert "globex" in run(tmp_path, "tenants", "list")


def test_a_tenant_that_is_not_there_and_a_weight_out_of_bounds_are_told(tmp_path: Path) -> None:
    run(tmp_path, "keys", "create", "--tenant", "acme")
    for arguments, reason in (
        (["grant-high", "nobody"], "TENANT_NOT_FOUND"),
        (["revoke-high", "nobody"], "TENANT_NOT_FOUND"),
        (["grant-high", "acme", "--weight", "9"], "HIGH_WEIGHT_INVALID"),
        (["grant-high", "acme", "--limit", "0"], "HIGH_LIMIT_INVALID"),
    ):
        result = CliRunner().invoke(app, ["tenants", *arguments], env={"HEADSHOTS_HOME": str(tmp_path)})
        assert result.exit_code == ExitCode.REFUSED
        assert reason in result.stderr


def test_consent_is_required_until_it_is_waived(tmp_path: Path) -> None:
    for tenant in ("acme", "globex"):
        run(tmp_path, "keys", "create", "--tenant", tenant)

    def required() -> list[bool]:
        return [each["consent_required"] for each in json.loads(run(tmp_path, "tenants", "list", "--json"))]

    assert required() == [True, True]
    waived = json.loads(run(tmp_path, "tenants", "waive-consent", "globex", "--json"))
    assert waived == {"tenant": "globex", "consent_required": False}
    assert required() == [True, False]
    assert "waived" in run(tmp_path, "tenants", "list")
    run(tmp_path, "tenants", "require-consent", "globex")
    assert required() == [True, True]
    result = CliRunner().invoke(app, ["tenants", "waive-consent", "nobody"], env={"HEADSHOTS_HOME": str(tmp_path)})
    assert result.exit_code == ExitCode.REFUSED
    assert "TENANT_NOT_FOUND" in result.stderr


def test_how_long_people_are_kept_is_set_and_listed(tmp_path: Path) -> None:
    for tenant in ("acme", "globex"):
        run(tmp_path, "keys", "create", "--tenant", tenant)
    assert run(tmp_path, "tenants", "list").count("30d") == 2
    said = json.loads(run(tmp_path, "tenants", "set-retention", "globex", "12h", "--json"))
    assert said == {"tenant": "globex", "retention_seconds": 43200}
    listed = json.loads(run(tmp_path, "tenants", "list", "--json"))
    assert [each["retention_seconds"] for each in listed] == [30 * 86400, 43200]
    assert "12h" in run(tmp_path, "tenants", "list")
    for span in ("59m", "401d"):
        result = CliRunner().invoke(
            app, ["tenants", "set-retention", "acme", span], env={"HEADSHOTS_HOME": str(tmp_path)}
        )
        assert (result.exit_code, "RETENTION_INVALID" in result.stderr) == (ExitCode.REFUSED, True)
    run(tmp_path, "tenants", "set-retention", "acme", "soon", code=2)
