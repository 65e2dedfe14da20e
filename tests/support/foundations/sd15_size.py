"""One safetensors file of Stable Diffusion 1.5's size with random weights in fp16, written tensor by tensor.

``python -m tests.support.foundations.sd15_size FILE``: 2.1 GB on the disk, and little memory.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel

from tests.support.foundations.single_files import original

_DOWN = ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",)
_UP = ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3


def shapes() -> dict[str, Tensor]:
    """Tensors without content, under the names of the original code."""
    with torch.device("meta"):
        unet = UNet2DConditionModel(
            sample_size=64, block_out_channels=(320, 640, 1280, 1280), cross_attention_dim=768, attention_head_dim=8,
            down_block_types=_DOWN, up_block_types=_UP,
        )  # fmt: skip
        vae = AutoencoderKL(
            block_out_channels=(128, 256, 512, 512), layers_per_block=2, sample_size=512,
            down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
        )  # fmt: skip
        text_encoder = CLIPTextModel(
            CLIPTextConfig(
                vocab_size=49408, hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12,
                max_position_embeddings=77,
            )
        )  # fmt: skip
    assert 855e6 < sum(each.numel() for each in unet.parameters()) < 865e6
    return original("sd15", {"unet": unet, "vae": vae, "text_encoder": text_encoder})


def write(path: Path) -> None:
    """Weights as torch's layers begin with, so that what is painted is noise and no NaN."""
    tensors, header, end = shapes(), dict[str, object](), 0
    for name, tensor in tensors.items():
        begin, end = end, end + 2 * tensor.numel()
        header[name] = {"dtype": "F16", "shape": list(tensor.shape), "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    random = np.random.default_rng(0)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name, tensor in tensors.items():
            file.write(_content(name, tuple(tensor.shape), random).tobytes())


def _content(name: str, shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    if len(shape) < 2:
        return np.full(shape, float(name.endswith("weight")), np.float16)
    most = np.float32(1 / math.sqrt(math.prod(shape[1:])))
    return ((random.random(shape, np.float32) * 2 - 1) * most).astype(np.float16)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
