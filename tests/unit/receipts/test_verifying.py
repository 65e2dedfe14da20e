"""What is wrong with receipts is found, whatever it is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from headshots.receipts.canonical import canonical
from headshots.receipts.signing import ReceiptKey
from headshots.receipts.verifying import FIRST, Verification, read_public_keys, verify
from tests.support.receipts import chain, receipt

KEY, OTHER = (ReceiptKey(Ed25519PrivateKey.generate()) for _ in range(2))


def verified(files: Mapping[str, bytes] | list[bytes], *keys: ReceiptKey) -> Verification:
    named = files if isinstance(files, Mapping) else {str(at): data for at, data in enumerate(files)}
    return verify(named, [read_public_keys(key.public_pem.encode())[0] for key in keys or (KEY,)])


def faults_of(data: bytes, *keys: ReceiptKey) -> tuple[str, ...]:
    return verified([data], *keys).receipts[0].faults


def test_whole_ones_are_told_so_in_any_order_and_from_any_number() -> None:
    made = chain(KEY, 4)
    assert verified(made).is_whole
    assert verified(made[::-1]).is_whole
    assert verified(made[2:]).is_whole, "what was before is not given"
    assert verified([made[0], made[0]]).is_whole, "the same one twice"
    assert faults_of(made[0] + b"\n") == (), "saved as text"


def test_every_changed_byte_is_found() -> None:
    data = receipt(KEY)
    for at in range(len(data)):
        changed = bytes([*data[:at], data[at] ^ 1, *data[at + 1 :]])
        assert faults_of(changed), f"byte {at}"


def test_no_other_way_to_write_the_same_signature_is_taken() -> None:
    data, document = receipt(KEY), json.loads(receipt(KEY))
    end = data.index(document["signature"].encode()) + len(document["signature"])
    assert document["signature"].endswith("==")
    for at in range(end - 4, end):
        for value in set(range(256)) - {data[at]}:
            assert faults_of(data[:at] + bytes([value]) + data[at + 1 :]), (at, value)


def test_every_change_of_what_it_says_is_found() -> None:
    document = json.loads(receipt(KEY))
    for name in document:
        changed = {**document, name: "x" if isinstance(document[name], str) else document[name] or 7}
        changed[name] = {"a": 1} if isinstance(document[name], dict) else changed[name]
        changed[name] = ["a"] if isinstance(document[name], list) else changed[name]
        changed[name] = 5 if isinstance(document[name], int) else changed[name]
        assert faults_of(canonical(changed)), name
        assert faults_of(canonical({key: value for key, value in document.items() if key != name})), f"without {name}"
    assert faults_of(canonical({**document, "more": 1}))
    assert faults_of(canonical({**document, "number": True}))


def test_one_of_another_key_is_found() -> None:
    assert "is none of those given" in faults_of(receipt(OTHER))[0]
    assert faults_of(receipt(OTHER), KEY, OTHER) == (), "keys of before and after a change"
    document = json.loads(receipt(OTHER))
    forged = canonical({**document, "key": KEY.id})
    assert "signed with another key" in faults_of(forged)[0]


@pytest.mark.parametrize(
    "data", [b"", b"a receipt", b"[]", b"{}", b'{"format":1}', json.dumps(json.loads(receipt(KEY))).encode()]
)
def test_what_is_no_receipt_is_told(data: bytes) -> None:
    found = verified([data])
    assert not found.is_whole
    assert "no receipt" in found.receipts[0].faults[0]


def test_a_missing_link_is_named() -> None:
    made = chain(KEY, 6)
    assert verified([made[0], *made[2:]]).chain_faults == ("acme: receipt 2 is missing",)
    assert verified([made[0], made[4]]).chain_faults == ("acme: receipts 2 to 4 are missing",)


def test_links_that_were_put_in_another_order_are_found() -> None:
    first, second, _ = chain(KEY, 3)
    # As the holder of the key would have to do it.
    one = receipt(KEY, 1, FIRST, subject="ef" * 32)
    assert verified([one, second]).chain_faults == ("acme: 1 (number 2) does not follow 0 (number 1)",)
    assert "are different receipts of the number 1" in verified([first, one]).chain_faults[0]
    assert "follows another receipt" in verified([receipt(KEY, 1, "ab" * 32)]).chain_faults[0]
    assert "they begin with 1" in verified([receipt(KEY, 0)]).chain_faults[0]


def test_two_receipts_of_one_erasure_are_found_though_each_has_its_place() -> None:
    (first,) = chain(KEY, 1)
    again = receipt(KEY, 2, hashlib.sha256(first).hexdigest(), erasure=json.loads(first)["erasure"])
    assert verified([again, first]).chain_faults == ("acme: 1 and 0 are different receipts of one erasure",)


def test_tenants_have_chains_of_their_own() -> None:
    other = receipt(KEY, 7, "ab" * 32, tenant="globex")
    assert verified([*chain(KEY, 2), other]).is_whole


def test_one_that_is_broken_is_no_link() -> None:
    made = chain(KEY, 3)
    found = verified([made[0], made[1].replace(b"REQUEST", b"EXPIRED"), made[2]])
    assert [bool(each.faults) for each in found.receipts] == [False, True, False]
    assert found.chain_faults == ("acme: receipt 2 is missing",)
