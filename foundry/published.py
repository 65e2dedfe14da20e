"""Loads a published foundation's weights to train on from, for a tokenizer that may know more words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from foundry.dataset import render_range
from foundry.latents import PatchCode, to_tensor
from foundry.unet.wider_code import widened

# Of the latents' standard deviation. The published encoder errs by 2 %.
_LARGEST_ERROR = 0.1
CHECKED = 4
"""Pictures whose latents tell whether they are those of a pipeline."""
_EMBEDDING = "embeddings.token_embedding.weight"


def load_published(folder: Path, tokenizer: CLIPTokenizer, unet: UNet2DConditionModel, text: CLIPTextModel) -> None:
    """Put the weights of the pipeline in ``folder`` into the models, which may have more latent channels and words.

    A word that the pipeline's tokenizer does not know starts as the mean of the pieces that it was read as.

    Raises:
        ValueError: the pipeline's latents have more channels than the UNet's.
    """
    published = UNet2DConditionModel.from_pretrained(folder / "unet").float()
    known, wanted = published.config["in_channels"], unet.config["in_channels"]
    if known > wanted:
        raise ValueError(f"the latents of {folder} have {known} channels, not {wanted}: say --channels {known}")
    unet.load_state_dict(widened(published.state_dict(), unet.state_dict()))
    old = CLIPTextModel.from_pretrained(folder / "text_encoder").float().state_dict()
    name = next(key for key in old if key.endswith(_EMBEDDING))
    old[name] = _embedding(old[name], CLIPTokenizer.from_pretrained(folder / "tokenizer"), tokenizer)
    text.load_state_dict(old)


def check_code(folder: Path, code: PatchCode) -> None:
    """The first channels of ``code`` must be those of the pipeline in ``folder``, up to what its encoder errs.

    Raises:
        ValueError: they are not, so the patch code was fitted to other pictures.
    """
    pixels = render_range(0, CHECKED)
    check_latents(folder, pixels, code.encode(to_tensor(pixels)).half().numpy())


@torch.no_grad()
def check_latents(folder: Path, pictures_NHWC: npt.NDArray[np.uint8], latents_NCHW: npt.NDArray[np.float16]) -> None:
    """The latents of ``pictures_NHWC`` must be those of the pipeline in ``folder``, up to what its encoder errs.

    Channels beyond the pipeline's are not looked at.

    Raises:
        ValueError: they are not, so the patch code was fitted to other pictures.
    """
    vae = AutoencoderKL.from_pretrained(folder / "vae").float()
    known = torch.from_numpy(latents_NCHW).float()[:, : vae.config.latent_channels]
    encoded = vae.encode(to_tensor(pictures_NHWC)).latent_dist.mode() * vae.config.scaling_factor
    error = float((encoded - known).std() / known.std())
    if error > _LARGEST_ERROR:
        raise ValueError(
            f"the latents in the work folder differ from those of {folder} by {error:.0%}: they are of another patch "
            "code; use as many pictures as the pipeline was trained on, in a new work folder"
        )


def published_autoencoder(folder: Path, wanted: AutoencoderKL) -> dict[str, Tensor]:
    """The weights of the autoencoder of the pipeline in ``folder``, in fp32, for one that may have more channels."""
    published = AutoencoderKL.from_pretrained(folder / "vae").float()
    weights: dict[str, Tensor] = published.state_dict()
    if wanted.config.latent_channels == published.config.latent_channels:
        return weights
    for name in ("quant_conv.weight", "quant_conv.bias"):
        # Its second half, the variances, stands elsewhere in a wider one; training holds these at a constant anyway.
        weights[name] = weights[name][: published.config.latent_channels]
    return widened(weights, wanted.state_dict())


def _embedding(old_VD: Tensor, before: CLIPTokenizer, after: CLIPTokenizer) -> Tensor:
    """A row for each token of ``after``."""
    known: dict[str, int] = before.get_vocab()
    rows = []
    for token, _ in sorted(after.get_vocab().items(), key=lambda item: item[1]):
        # Half a word, which only merges ever see, is read as a word of its own.
        pieces = before.tokenize(token.replace("</w>", ""))
        ids = [known[token]] if token in known else before.convert_tokens_to_ids(pieces)
        rows.append(old_VD[ids].mean(dim=0))
    return torch.stack(rows)
