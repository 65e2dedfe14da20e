"""What a sitting elsewhere made comes home whole, or is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from foundry import one_sitting, train_unet
from foundry.latents import PatchCode
from foundry.training import save_atomically

STATES = {
    "unet": {"unet": {"weight": torch.randn(40, 10)}, "text": {"position": torch.arange(3)}},
    "autoencoder": {"autoencoder": {"weight": torch.randn(5)}},
}


@pytest.fixture
def brought(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a sitting whose weights take three pieces."""
    work, out = tmp_path / "there", tmp_path / "out"
    for stage, states in STATES.items():
        save_atomically(states, work / f"{stage}.pt")
    PatchCode(torch.zeros(2), torch.eye(2), torch.tensor([1.0, 3.0])).save(work / "patch_code.npz")
    (work / "sheets").mkdir()
    for step in (90, 100):
        Image.new("L", (step, 1)).save(work / "sheets" / f"step_{step:06d}.png")
    monkeypatch.setattr(one_sitting, "PIECE_BYTES", 2000)
    one_sitting.pack(work, out, {"steps": 7})
    return out


def test_weights_come_home_in_pieces(brought: Path, tmp_path: Path) -> None:
    pieces = sorted(brought.glob("*.part"))
    assert len(pieces) == json.loads((brought / "report.json").read_text())["pieces"] > 1
    assert max(piece.stat().st_size for piece in pieces) <= one_sitting.PIECE_BYTES
    with Image.open(brought / "sheet.png") as sheet:
        assert sheet.width == 100, "the newest"
    one_sitting.join(brought, tmp_path / "here")
    for stage, states in STATES.items():
        loaded = torch.load(tmp_path / "here" / f"{stage}.pt", weights_only=True)
        for name, state in states.items():
            for key, value in state.items():
                torch.testing.assert_close(loaded[name][key], value, rtol=1e-3, atol=1e-4)
    assert PatchCode.load(tmp_path / "here" / "patch_code.npz").scale_C.tolist() == [1, 3]
    assert (tmp_path / "here" / "tokenizer" / "vocab.json").exists()


def test_missing_and_spoilt_pieces_are_refused(brought: Path, tmp_path: Path) -> None:
    last = max(brought.glob("*.part"))
    content = last.read_bytes()
    last.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ValueError, match=r"not those of its report\.json"):
        one_sitting.join(brought, tmp_path / "here")
    last.unlink()
    with pytest.raises(ValueError, match=f"lacks {last.name}"):
        one_sitting.join(brought, tmp_path / "here")
    assert not (tmp_path / "here").exists()


def test_the_stages_fit_the_minutes_and_their_commands() -> None:
    given = "run --code c --out o --work w --passes 6 -- --truth-weight 0.3"
    unet, autoencoder = one_sitting.stages(one_sitting.parser().parse_args(given.split()))
    assert [unet[0], autoencoder[0]] == ["foundry.train_unet", "foundry.train_autoencoder"]
    settings = train_unet.settings_of(train_unet.parser().parse_args(unet[1:]))
    assert settings.emphasis.truth == 0.3
    assert not settings.compiled
    assert settings.portraits.drawn is not None
    assert settings.portraits.drawn.passes == 6
    assert sum(one_sitting.SHARES.values()) < 0.85
