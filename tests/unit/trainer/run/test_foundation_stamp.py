"""The stamp of a foundation changes with its files."""

from __future__ import annotations

from pathlib import Path

import pytest

from headshots.errors import FailedPreconditionError
from services.trainer.run.foundation_stamp import check_stamp, foundation_stamp


def test_a_foundation_whose_files_changed_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "foundation"
    (folder / "unet").mkdir(parents=True)
    (folder / "unet" / "model.safetensors").write_bytes(b"old weights")
    stamp = foundation_stamp(folder)
    check_stamp(folder, stamp)
    (folder / "unet" / "model.safetensors").write_bytes(b"other and more weights")
    with pytest.raises(FailedPreconditionError) as caught:
        check_stamp(folder, stamp)
    assert caught.value.reason == "FOUNDATION_CHANGED"
