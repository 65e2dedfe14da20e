"""The witness knows what files held, also of those that are gone."""

from __future__ import annotations

import json
import struct
from pathlib import Path

from benchmarks.promises.witness import Witness
from tests.support.waiting import until


async def test_what_is_soon_gone_was_seen(tmp_path: Path) -> None:
    witness, passing = Witness(tmp_path), tmp_path / "adapters" / "t" / "checkpoints" / "1"
    with witness.looking():
        passing.parent.mkdir(parents=True)
        passing.with_name("new").write_bytes(b"c" * 100)
        # Whole at once, as a store's objects are.
        passing.with_name("new").rename(passing)
        await until(lambda: bool(witness.contents))
        passing.unlink()
        (tmp_path / "photos").mkdir()
        (tmp_path / "photos" / "a.png").write_bytes(b"p" * 100)
        (tmp_path / "photos" / "id").write_bytes(b"short")
    assert sorted(witness.contents) == [b"c" * 100, b"p" * 100]
    assert witness.kinds() == {"checkpoints": 1, "photos": 2}


def test_a_header_that_all_adapters_have_is_nobodys(tmp_path: Path) -> None:
    witness, header = Witness(tmp_path), json.dumps({"__metadata__": {"rank": "4"}}).encode()
    (tmp_path / "adapter.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + b"w" * 100)
    witness.look()
    assert witness.contents == [b"w" * 100]
