"""A grant says what it was signed for, to who has the secret, for some minutes."""

from __future__ import annotations

import base64
import dataclasses
import json
import stat
from pathlib import Path

import pytest

from headshots.errors import InvalidArgumentError, PermissionDeniedError, UnauthenticatedError
from headshots.rpc.internal.grants import CLOCK_SKEW_SECONDS, LIFETIME_SECONDS, Grant, sign, verify
from headshots.rpc.internal.secret import Secret

OLD, NEW = b"a" * 32, b"b" * 32
NOW = 1_800_000_000.0
GRANT = Grant("generator", "Generate", "acme", ("tenants/acme/subjects/s",), "tenants/acme/subjects/s/images")


def test_what_was_signed_is_what_is_verified() -> None:
    assert verify(sign(GRANT, OLD, NOW), [OLD], NOW) == GRANT
    assert verify(sign(GRANT, OLD, NOW), [NEW, OLD], NOW) == GRANT


@pytest.mark.parametrize("later", [-CLOCK_SKEW_SECONDS, 0, LIFETIME_SECONDS + CLOCK_SKEW_SECONDS - 1])
def test_a_grant_is_valid_for_minutes_by_clocks_that_differ_a_little(later: float) -> None:
    assert verify(sign(GRANT, OLD, NOW), [OLD], NOW + later) == GRANT


@pytest.mark.parametrize("later", [-CLOCK_SKEW_SECONDS - 1, LIFETIME_SECONDS + CLOCK_SKEW_SECONDS, 1e9])
def test_a_grant_is_valid_neither_earlier_nor_later(later: float) -> None:
    with pytest.raises(UnauthenticatedError, match=r"GRANT_EXPIRED"):
        verify(sign(GRANT, OLD, NOW), [OLD], NOW + later)


def _tampered() -> dict[str, str]:
    version, payload, signature = sign(GRANT, OLD, NOW).split(".")
    facts = json.loads(base64.urlsafe_b64decode(payload + "=="))
    wider = base64.urlsafe_b64encode(json.dumps({**facts, "tenant": "globex"}).encode()).decode().rstrip("=")
    return {
        "another payload": f"{version}.{wider}.{signature}",
        "no signature": f"{version}.{payload}.",
        "half a signature": f"{version}.{payload}.{signature[:20]}",
        "another version": f"v2.{payload}.{signature}",
        "another secret": sign(GRANT, NEW, NOW),
        "no grant at all": "x",
        "not ASCII": f"{version}.{payload}.ü",
    }


@pytest.mark.parametrize("what", _tampered())
def test_a_changed_or_foreign_grant_is_refused(what: str) -> None:
    with pytest.raises(UnauthenticatedError, match=r"GRANT_INVALID"):
        verify(_tampered()[what], [OLD], NOW)


def test_a_call_without_a_grant_is_told_whom_to_call() -> None:
    with pytest.raises(UnauthenticatedError, match=r"GRANT_MISSING.*call the gateway"):
        verify("", [OLD], NOW)


def test_a_grant_with_limits_that_this_version_does_not_know_is_refused() -> None:
    @dataclasses.dataclass(frozen=True)
    class Later(Grant):
        steps: int = 3

    with pytest.raises(UnauthenticatedError, match=r"GRANT_INVALID.*another version"):
        verify(sign(Later("generator", "Generate"), OLD, NOW), [OLD], NOW)


@pytest.mark.parametrize(
    "key",
    [
        "tenants/acme/subjects/s2/photos/a.png",
        "tenants/acme/subjects",
        "tenants/acme/subjects/s/../s2/a.png",
        "tenants/acme/subjects/s/./a.png",
        "tenants/acme/subjects/s//a.png",
        "tenants/acme/subjects/s/",
        "/tenants/acme/subjects/s/a.png",
        "",
    ],
)
def test_prefixes_are_whole_folders(key: str) -> None:
    for check in (GRANT.check_readable, dataclasses.replace(GRANT, writes=GRANT.reads[0]).check_writable):
        check("key", "tenants/acme/subjects/s/a/b.png")
        with pytest.raises(PermissionDeniedError, match=r"GRANT_TOO_NARROW: key") as caught:
            check("key", key)
        assert [violation.field for violation in caught.value.violations] == ["key"]


def test_a_grant_of_nothing_allows_nothing() -> None:
    nothing = Grant("generator", "Generate")
    for check in (
        lambda: nothing.check_readable("key", "a"),
        lambda: nothing.check_writable("key", ""),
        lambda: nothing.check_writable("key", "a"),
        lambda: nothing.check_equal("tenant", "", nothing.tenant),
    ):
        with pytest.raises(PermissionDeniedError):
            check()


# ---- the secret's file


def test_the_first_service_makes_the_secret_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "home" / "internal-key"
    first, second = Secret(file), Secret(file)
    assert len(first.signing) == 32
    assert first.verifying == second.verifying == (second.signing,)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_of_services_that_start_at_once_one_makes_the_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "internal-key"

    def another_is_quicker(folder: Path) -> None:
        write(file, OLD)

    # Between the look for the file and its making.
    monkeypatch.setattr("headshots.rpc.internal.secret.make_private", another_is_quicker)
    assert Secret(file).signing == OLD
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_a_changed_secret_is_taken_while_both_hold(tmp_path: Path) -> None:
    file = tmp_path / "internal-key"
    write(file, OLD)
    secret = Secret(file)
    write(file, OLD, NEW)
    assert (secret.signing, secret.verifying) == (OLD, (OLD, NEW))
    write(file, NEW, OLD)
    assert (secret.signing, secret.verifying) == (NEW, (NEW, OLD))
    write(file, NEW)
    assert secret.verifying == (NEW,)


def test_a_broken_change_keeps_the_last_good_one_and_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "internal-key"
    write(file, OLD)
    secret = Secret(file)
    file.write_text("not hexadecimal")
    assert [secret.signing, secret.signing] == [OLD, OLD]
    file.unlink()
    assert secret.signing == OLD
    assert len([record for record in caplog.records if "are not taken" in record.message]) == 2
    write(file, NEW)
    assert secret.signing == NEW


@pytest.mark.parametrize("content", ["", "xyz", "ab" * 31, "ab" * 32 + "\n" + "cd" * 8, "\n".join(["ab" * 32] * 3)])
def test_a_file_that_holds_no_secret_stops_the_start(tmp_path: Path, content: str) -> None:
    file = tmp_path / "internal-key"
    file.write_text(content)
    with pytest.raises(InvalidArgumentError, match=r"INTERNAL_KEY_INVALID.*openssl rand -hex 32") as caught:
        Secret(file)
    assert "abab" not in str(caught.value)


def test_a_file_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("no folder")
    with pytest.raises(InvalidArgumentError, match=r"INTERNAL_KEY_INVALID.*cannot be made"):
        Secret(tmp_path / "home" / "internal-key")


def write(file: Path, *lines: bytes) -> None:
    file.write_text("".join(line.hex() + "\n" for line in lines))
