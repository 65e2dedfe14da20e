"""What a decoding process says of a file is read as what the file's maker may have written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headshots.errors import InternalError
from headshots.marking.authority import AUTHORITY
from headshots.marking.settings import MarkingSettings
from headshots.marking.verification import read_answer
from headshots.marking.verifying import LIMITS, answer, verify
from services.generator.images.encoding import encode
from services.generator.images.marking import Marker

PIXELS = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, str]:
    """A signed file, and the PEM of who is trusted."""
    folder: Path = tmp_path_factory.mktemp("home") / "marking"
    settings = MarkingSettings(folder)
    signed = Marker(settings, settings.open_signer(), "tiny", "0" * 64).write("acme", PIXELS, "png", 0, None).signed
    return signed, (folder / AUTHORITY).read_text()


def test_an_answer_says_what_verification_found(answered: tuple[bytes, str]) -> None:
    for file in (answered[0], encode(PIXELS, "jpg")):
        document = json.loads(json.dumps(answer(file, LIMITS, answered[1])))
        assert read_answer(document) == verify(file, answered[1])


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("signature", "state"), "FINE"),
        (("signature", "signer"), 7),
        (("signature", "signer"), "x" * 1025),
        (("signature", "mark_id"), ["0" * 16]),
        (("signature", "failures"), [None]),
        (("metadata", "owner"), {}),
        (("metadata", "more"), "x"),
        (("metadata",), "x"),
        (("watermark",), {"mark_id": "0" * 16}),
        (("watermark",), {"mark_id": "0" * 15, "confidence": 1.0}),
        (("watermark",), {"mark_id": "0" * 14 + "'\"", "confidence": 1.0}),
        (("watermark",), {"mark_id": "00" * 7, "confidence": 1.0}),
        (("watermark",), {"mark_id": "AB" * 8, "confidence": 1.0}),
        (("watermark",), {"mark_id": "0" * 16, "confidence": "high"}),
        (("watermark",), 7),
        (("signature",), None),
    ],
)
def test_what_is_no_answer_is_refused(answered: tuple[bytes, str], path: tuple[str, ...], value: Any) -> None:
    document: Any = json.loads(json.dumps(answer(*answered[:1], LIMITS, answered[1])))
    inner = document
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    with pytest.raises(InternalError) as caught:
        read_answer(document)
    assert caught.value.reason == "DECODER_FAILED"
