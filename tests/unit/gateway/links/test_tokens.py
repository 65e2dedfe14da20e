"""A token opens the file that it was signed for, until it expires, and nothing else."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from pathlib import Path

import pytest

from headshots.rpc.internal import grants
from headshots.rpc.internal.grants import Grant
from headshots.rpc.internal.secret import Secret
from services.gateway.links.models import LinkedFile
from services.gateway.links.tokens import LinkTokens

FILE = LinkedFile("tenants/acme/subjects/s/images/a.png", "image/png", "navy-7.png")


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "key"


@pytest.fixture
def tokens(key_file: Path) -> LinkTokens:
    return LinkTokens(Secret(key_file))


def test_a_token_opens_its_file_until_it_expires(tokens: LinkTokens, key_file: Path) -> None:
    token = tokens.sign(FILE, 1000)
    assert tokens.open(token, 999.9) == FILE
    assert LinkTokens(Secret(key_file)).open(token, 999.9) == FILE, "every gateway can check it"
    assert tokens.open(token, 1000.0) is None


def test_whatever_is_changed_opens_nothing(tokens: LinkTokens) -> None:
    token = tokens.sign(FILE, 1000)
    for at, character in enumerate(token):
        other = "B" if character == "A" else "A"
        assert tokens.open(token[:at] + other + token[at + 1 :], 0.0) is None
    for changed in ("", ".", token[:-1], token + "=", token + "A", token.split(".")[0], f"{token}.x", "\ud800.é"):
        assert tokens.open(changed, 0.0) is None


def test_another_installation_signs_nothing_here(tokens: LinkTokens, tmp_path: Path) -> None:
    assert tokens.open(LinkTokens(Secret(tmp_path / "other")).sign(FILE, 1000), 0.0) is None


def test_links_outlive_a_change_of_the_secret_that_keeps_the_old_line(tokens: LinkTokens, key_file: Path) -> None:
    token = tokens.sign(FILE, 1000)
    old = key_file.read_text()
    key_file.write_text(secrets.token_hex(32) + "\n" + old)
    assert LinkTokens(Secret(key_file)).open(token, 0.0) == FILE
    key_file.write_text(secrets.token_hex(32) + "\n")
    assert LinkTokens(Secret(key_file)).open(token, 0.0) is None


def test_neither_a_grant_nor_a_link_stands_for_the_other(tokens: LinkTokens, key_file: Path) -> None:
    secret = Secret(key_file)
    grant = grants.sign(Grant("generator", "Generate"), secret.signing, 0.0)
    assert tokens.open(grant.removeprefix("v1."), 0.0) is None
    payload = tokens.sign(FILE, 1000).split(".")[0]
    digest = hmac.digest(secret.signing, payload.encode(), hashlib.sha256)
    plain = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    assert tokens.open(f"{payload}.{plain}", 0.0) is None
