"""Whatever an error holds, its status fits into the trailers that clients take, and keeps its reason."""

from __future__ import annotations

import random

import pytest
from google.rpc import error_details_pb2, status_pb2

from headshots.errors import FieldViolation, InvalidArgumentError
from headshots.rpc.fitting import LEFT_OUT, TRAILER_BYTES, trailer_bytes
from headshots.rpc.statuses import status_from_error

ALPHABETS = ("abc xyz.[]0", "%\n\x00\x7f", "äöß€", "名前写真", "🙂")


def info_of(status: status_pb2.Status) -> error_details_pb2.ErrorInfo:
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    return info


def bad_request_of(status: status_pb2.Status) -> error_details_pb2.BadRequest:
    found = error_details_pb2.BadRequest()
    assert status.details[-1].Unpack(found)
    return found


def test_a_small_error_is_told_whole() -> None:
    violations = [FieldViolation(f"styles[{n}]", "is no name") for n in range(12)]
    status = status_from_error(InvalidArgumentError("X", "twelve", metadata={"a": "b"}, violations=violations))
    assert status.message == "twelve"
    assert dict(info_of(status).metadata) == {"a": "b"}
    assert [v.field for v in bad_request_of(status).field_violations] == [v.field for v in violations]


@pytest.mark.parametrize("seed", range(30))
def test_no_error_is_larger_than_trailers_may_be(seed: int) -> None:
    random_ = random.Random(seed)

    def text(longest: int) -> str:
        return "".join(random_.choices(random_.choice(ALPHABETS), k=random_.randrange(longest)))

    violations = [FieldViolation(text(400), text(1200)) for _ in range(random_.randrange(1, 300))]
    metadata = {f"key{n}": text(900) for n in range(random_.randrange(6))}
    error = InvalidArgumentError(
        "A_REASON", text(9000), metadata=metadata, violations=violations, retry_after_seconds=1.5
    )
    status = status_from_error(error)
    assert trailer_bytes(status) <= TRAILER_BYTES
    assert info_of(status).reason == "A_REASON"
    named = len(bad_request_of(status).field_violations)
    assert named >= 1
    assert named + int(info_of(status).metadata[LEFT_OUT] or 0) == len(violations)
    assert error.message.startswith(status.message.removesuffix("…"))


def test_as_many_violations_as_fit_are_named() -> None:
    violations = [FieldViolation(f"styles[{n}]", "x" * 40) for n in range(1000)]
    status = status_from_error(InvalidArgumentError("X", "many", violations=violations))
    # Less than 200 bytes of the details are kept free: for the note, and for the tags of the messages.
    one_more = bad_request_of(status).field_violations[0].ByteSize() * 4 // 3
    assert trailer_bytes(status) + one_more > TRAILER_BYTES - 200 * 4 // 3
