"""Commitments tell nothing, and their root is that of RFC 6962."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from headshots.receipts.merkle import commitment, root

SALT, CONTENT = bytes(range(32)), "ab" * 32


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def test_a_commitment_is_what_the_decision_says() -> None:
    expected = sha256(b"headshots/commitment/1", b"\0", b"photos", b"\0", SALT, bytes.fromhex(CONTENT))
    assert commitment("photos", SALT, CONTENT) == expected.hex()
    others = {
        commitment("images", SALT, CONTENT),
        commitment("photos", SALT[::-1], CONTENT),
        commitment("photos", SALT, "cd" * 32),
    }
    assert len(others | {expected.hex()}) == 4


def test_roots_of_few_are_as_the_rfc_draws_them() -> None:
    a, b, c = (bytes([each]) * 32 for each in (1, 2, 3))
    leaf_a, leaf_b, leaf_c = (sha256(b"\0", each) for each in (a, b, c))
    assert root([]) == sha256().hex()
    assert root([a.hex()]) == leaf_a.hex()
    assert root([b.hex(), a.hex()]) == sha256(b"\1", leaf_a, leaf_b).hex()
    assert root(each.hex() for each in (c, a, b)) == sha256(b"\1", sha256(b"\1", leaf_a, leaf_b), leaf_c).hex()


@given(st.lists(st.binary(min_size=32, max_size=32), unique=True, min_size=1, max_size=40))
def test_a_root_is_of_exactly_these_in_any_order(commitments: list[bytes]) -> None:
    told = [each.hex() for each in commitments]
    whole = root(told)
    assert root(told[::-1]) == whole
    assert root(told[1:]) != whole
    changed = bytes([commitments[0][0] ^ 1]) + commitments[0][1:]
    assert changed in commitments or root([changed.hex(), *told[1:]]) != whole
    assert root([*told, told[0]]) != whole


def test_seven_are_split_four_and_three() -> None:
    leaves = [sha256(b"\0", bytes([each]) * 32) for each in range(7)]
    pairs = [sha256(b"\1", leaves[at], leaves[at + 1]) for at in (0, 2, 4)]
    left, right = sha256(b"\1", pairs[0], pairs[1]), sha256(b"\1", pairs[2], leaves[6])
    assert root((bytes([each]) * 32).hex() for each in range(7)) == sha256(b"\1", left, right).hex()
