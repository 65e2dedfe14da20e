"""Every stage of the foundation on a toy budget: losses fall, runs resume, and the folder that comes out paints."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline
from safetensors import safe_open

from foundry import tokens, train_autoencoder, train_judges, train_unet
from foundry.dataset import prepare_pictures, render_range
from foundry.export import build_pipeline, export_pipeline
from foundry.judges import Judges
from foundry.latents import PatchCode, prepare_latents, to_tensor
from foundry.model_settings import LATENT_CHANNELS
from foundry.models import make_text_encoder, make_unet
from foundry.parallel import Ranks
from foundry.published import check_latents, load_published
from foundry.training import Budget
from foundry.unet import sheets
from foundry.unet.material import Portraits
from headshots.diffusion.foundations.foundation import Foundation
from headshots.settings import default_foundation

# diffusers' multistep scheduler hands tensors to numpy in a way that numpy 2 frowns upon.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

PICTURES, BATCH = 48, 4


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("foundry")
    prepare_pictures(folder, PICTURES)
    return folder


@pytest.fixture(autouse=True)
def one_prompt_a_sheet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sample sheets would take longer than the trainings."""
    monkeypatch.setattr(sheets, "SHEET_PROMPTS", sheets.SHEET_PROMPTS[:1])


def unet_trainer(work: Path, start: Path | None = None) -> train_unet.UNetTrainer:
    return train_unet.UNetTrainer(Ranks(), work, train_unet.Settings(Portraits(PICTURES), BATCH, 2e-3, start=start))


def test_pictures_on_disk_are_the_rendered_ones(work: Path) -> None:
    assert np.array_equal(prepare_pictures(work, PICTURES)[:3], render_range(0, 3))


def test_the_patch_code_keeps_most_of_a_picture(work: Path) -> None:
    code, latents = prepare_latents(work, prepare_pictures(work, PICTURES))
    pixels = to_tensor(render_range(0, 4, held_out=True))
    encoded = code.encode(pixels)
    assert encoded.shape == (4, 16, 16, 16)
    assert train_autoencoder.psnr_db(code.decode(encoded), pixels) > 24
    assert float(torch.from_numpy(latents).float().square().mean()) == pytest.approx(1, rel=0.1)
    code.save(work / "copy.npz")
    assert torch.equal(PatchCode.load(work / "copy.npz").encode(pixels), encoded)


def test_the_foundation_is_trained_resumed_exported_and_paints(work: Path, tmp_path: Path) -> None:
    trainer = unet_trainer(work)
    losses = train_unet.train(trainer, Budget(None, 16), save_every=1e9, sheet_every=1e9)
    assert np.mean(losses[-5:]) < np.mean(losses[:5])
    resumed = unet_trainer(work)
    assert resumed.resume() > 0
    assert resumed.step == 16
    assert torch.equal(resumed.unet.conv_in.weight, trainer.unet.conv_in.weight)
    assert len(train_unet.train(resumed, Budget(None, 18), save_every=1e9, sheet_every=1e9)) == 2

    autoencoder = train_autoencoder.AutoencoderTrainer(work, PICTURES, 4, 2e-3, seed=0)
    losses = train_autoencoder.train(autoencoder, Budget(None, 12), save_every=1e9, sheet_every=1e9)
    assert np.mean(losses[-5:]) < np.mean(losses[:5])
    assert list((work / "sheets").glob("*.png"))

    out = tmp_path / "model"
    out.mkdir()
    (out / "README.md").write_text("a card")
    export_pipeline(work, out)
    assert (out / "README.md").read_text() == "a card"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model"]
    assert sum(path.stat().st_size for path in out.rglob("*")) < 40e6
    assert Foundation.read(out).native_width_px == 128
    with pytest.raises(ValueError, match="another patch code"):  # this autoencoder has hardly learned it
        unet_trainer(work, start=out)
    pipeline = StableDiffusionPipeline.from_pretrained(out)
    pipeline.set_progress_bar_config(disable=True)
    picture = np.asarray(pipeline("headshot of a man", num_inference_steps=2).images[0])
    assert picture.shape == (128, 128, 3)


def test_judges_learn_and_survive_saving(work: Path, tmp_path: Path) -> None:
    def budgets(steps: int) -> train_judges.Budgets:
        return train_judges.Budgets(Budget(None, steps), Budget(None, steps), Budget(None, steps))

    judges = train_judges.train_judges(work, 2, budgets(2), held_out_pictures=8, processes=1)
    assert -1 <= judges.same_person_from <= 1
    train_judges.save_judges(judges, tmp_path, {})
    loaded: Judges = train_judges.load_judges(tmp_path)
    pixels = to_tensor(render_range(0, 2, held_out=True))
    with torch.no_grad():
        assert torch.allclose(loaded.embedder(pixels), judges.embedder(pixels), atol=2e-2)
        assert torch.allclose(loaded.landmarker(pixels), judges.landmarker(pixels), atol=1e-3)
    assert json.loads((tmp_path / "judges.json").read_text())["same_person_from"] == judges.same_person_from
    with torch.no_grad():
        before = loaded.embedder(pixels)
        kept = train_judges.train_judges(work, 2, budgets(0), held_out_pictures=8, start=loaded, processes=1)
        assert torch.equal(kept.embedder(pixels), before), "a net without a budget stays as it is"


def test_a_run_starts_from_a_published_pipeline_whose_tokenizer_knew_fewer_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published, bundled = tmp_path / "published", default_foundation()
    monkeypatch.setattr(tokens, "OUTFITS", ("navy suit",))
    few = tokens.save_tokenizer(published / "tokenizer")
    text = make_text_encoder(few)
    text.save_pretrained(published / "text_encoder")
    shutil.copytree(bundled / "unet", published / "unet")
    monkeypatch.undo()
    many = tokens.save_tokenizer(tmp_path / "more")
    assert len(many) > len(few)
    unet, grown = make_unet(LATENT_CHANNELS), make_text_encoder(many)
    load_published(published, many, unet, grown)
    before, after = text.get_input_embeddings().weight, grown.get_input_embeddings().weight
    assert torch.equal(after[many.convert_tokens_to_ids("suit</w>")], before[few.convert_tokens_to_ids("suit</w>")])
    assert len(few.tokenize("denim")) > 1
    pieces = few.convert_tokens_to_ids(few.tokenize("denim"))
    torch.testing.assert_close(after[many.convert_tokens_to_ids("denim</w>")], before[pieces].mean(0))
    with safe_open(bundled / "unet" / "diffusion_pytorch_model.safetensors", framework="pt") as weights:
        torch.testing.assert_close(unet.conv_in.weight, weights.get_tensor("conv_in.weight").float())
    with pytest.raises(ValueError, match=r"have 32 channels, not 16: say --channels 32"):
        load_published(published, many, make_unet(), grown)


def test_latents_of_another_code_are_refused() -> None:
    pictures = render_range(0, 2)
    vae = AutoencoderKL.from_pretrained(default_foundation() / "vae").float()
    with torch.no_grad():
        latents = vae.encode(to_tensor(pictures)).latent_dist.mode().half().numpy()
    check_latents(default_foundation(), pictures, latents)
    with pytest.raises(ValueError, match="another patch code"):
        check_latents(default_foundation(), pictures, latents[:, ::-1].copy())


def test_a_published_autoencoder_is_taken_for_its_own_latents_only(work: Path, tmp_path: Path) -> None:
    lonely = tmp_path / "work"
    shutil.copytree(work, lonely)
    (lonely / "autoencoder.pt").unlink(missing_ok=True)
    train_unet.train(unet_trainer(lonely), Budget(None, 1), save_every=1e9, sheet_every=1e9)
    with pytest.raises(ValueError, match=r"have 16 channels, those of .* 32: train an autoencoder of theirs"):
        build_pipeline(lonely, default_foundation())
