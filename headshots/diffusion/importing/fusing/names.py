"""Knows the names that LoRA files give to layers and to the parts of their LoRA, and the kinds that are no LoRA.

A foundation's layers are named by diffusers and transformers. Files have

* PEFT's and diffusers' names: ``unet.<module>.lora_A.weight``, ``text_encoder.…``, ``base_model.model.<module>…``, and
  the older ``….attn1.processor.to_q_lora.down.weight`` and ``….q_proj.lora_linear_layer.up.weight``;
* kohya's: ``lora_unet_<module with underscores>.lora_down.weight``, ``lora_te_…``, ``lora_te1_…``, ``lora_te2_…``, of
  the UNet in diffusers' names or in those of the original code (``input_blocks_4_1_…``);
* ComfyUI's: ``diffusion_model.<module of the original code>…``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from headshots.diffusion.lora.layout import sgm_name

Shapes = Mapping[str, tuple[int, ...]]

_ROLES = {
    ".lora_A.weight": "down",
    ".lora_B.weight": "up",
    ".lora_A.default.weight": "down",
    ".lora_B.default.weight": "up",
    ".lora_down.weight": "down",
    ".lora_up.weight": "up",
    ".lora_mid.weight": "mid",
    ".lora_linear_layer.down.weight": "down",
    ".lora_linear_layer.up.weight": "up",
    ".lora.down.weight": "down",
    ".lora.up.weight": "up",
    "_lora.down.weight": "down",
    "_lora.up.weight": "up",
    ".alpha": "alpha",
}
# Parts of names that only other methods have.
_OTHER_METHODS = {
    "dora_scale": "DoRA",
    "lora_magnitude_vector": "DoRA",
    ".hada_": "LoHa",
    ".lokr_": "LoKr",
    ".oft_": "OFT",
    ".boft_": "BOFT",
    ".on_input": "IA3",
    ".a1.weight": "GLoRA",
    ".diff": "whole differences of weights",
    ".w_norm": "whole differences of weights",
    ".b_norm": "whole differences of weights",
    "lora_up.bias": "LoRA with biases",
    "lora_B.bias": "LoRA with biases",
    "lora_embedding_": "LoRA of a vocabulary",
    "bundle_emb.": "words that were trained along",
    "emb_params": "words that were trained along",
}
# Of other models than UNets with CLIP.
_OTHER_MODELS = (
    "transformer.",
    "lora_transformer_",
    "lora_te3_",
    "double_blocks",
    "single_blocks",
    "joint_blocks",
    "joint_transformer_blocks",
    "adaLN_modulation",
)
_KOHYA = {"unet": ("lora_unet_",), "text_encoder": ("lora_te_", "lora_te1_"), "text_encoder_2": ("lora_te2_",)}
_RESNET = {
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_ENDS = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_in": "input_blocks.0.0",
    "conv_out": "out.2",
}
_RESNET_PATH = re.compile(r"^(down_blocks|up_blocks|mid_block)\.(?:(\d+)\.)?resnets\.(\d+)\.(\w+)$")
_SAMPLER_PATH = re.compile(r"^(down|up)_blocks\.(\d+)\.(?:down|up)samplers\.0\.conv$")
_TEXT_ATTENTION = re.compile(r"\.self_attn\.to_(q|k|v|out)$")


@dataclass(frozen=True)
class Layer:
    """A linear layer or a convolution of a foundation.

    Attributes:
        file: of the weights, within the foundation's folder.
        tensor: its weight's name there.
        module: the path that PEFT's patterns know.
        shape: [outputs, inputs], or [outputs, inputs, height, width].
    """

    file: str
    tensor: str
    module: str
    shape: tuple[int, ...]

    @property
    def part(self) -> str:
        """The folder of the network, as ``unet``."""
        return self.file.partition("/")[0]


def split_key(key: str) -> tuple[str, str] | None:
    """A layer's name and which part of its LoRA a tensor is: down, up, mid or alpha; None: no part of a LoRA."""
    ending = next((ending for ending in _ROLES if key.endswith(ending)), None)
    return None if ending is None else (key.removesuffix(ending), _ROLES[ending])


def other_method(key: str) -> str | None:
    """The method that a tensor's name belongs to, where that is another than LoRA."""
    return next((name for part, name in _OTHER_METHODS.items() if part in key), None)


def is_of_other_model(key: str) -> bool:
    """Whether a tensor's name is one of a diffusion transformer's LoRA."""
    bare = key.removeprefix("diffusion_model.").removeprefix("lora_unet_")
    return key.startswith(_OTHER_MODELS) or bare.startswith(_OTHER_MODELS) or "adaLN_modulation" in key


class Layers:
    """The layers of a foundation, found by any name that a file gives them.

    Args:
        files: shapes of the tensors of each file of weights, by its name within the foundation.
    """

    def __init__(self, files: Mapping[str, Shapes]) -> None:
        unet = [name for file, shapes in files.items() if file.startswith("unet/") for name in shapes]
        self._original = _original_names(unet)
        self._by_name = {name: layer for layer in _layers(files) for name in self._names(layer)}
        self.context_width = next(
            (shapes[name][1] for shapes in files.values() for name in shapes if name.endswith("attn2.to_k.weight")), 0
        )
        """Width of the text that the UNet takes: 768 in Stable Diffusion 1.5, 2048 in SDXL."""

    def find(self, name: str) -> Layer | None:
        """The layer that a file calls ``name``; None: the foundation has none."""
        name = name.removeprefix("base_model.model.").replace(".processor.", ".")
        name = _TEXT_ATTENTION.sub(lambda found: f".self_attn.{found[1]}_proj", name)
        if name.endswith((".attn1.to_out", ".attn2.to_out")):
            name += ".0"
        return self._by_name.get(name)

    def _names(self, layer: Layer) -> Iterator[str]:
        module = layer.module
        if layer.part == "unet":
            original = self._original.get(module, module)
            paths = {module, original}
            yield from (module, f"unet.{module}", f"diffusion_model.{original}")
        else:
            # Versions of transformers differ in it.
            paths = {module, module.removeprefix("text_model.")}
            yield from (f"{layer.part}.{path}" for path in paths)
        for prefix in _KOHYA[layer.part]:
            for path in paths:
                yield prefix + path.replace(".", "_")


def _layers(files: Mapping[str, Shapes]) -> Iterator[Layer]:
    for file, shapes in files.items():
        part = file.partition("/")[0]
        for tensor, shape in shapes.items():
            module = tensor.removesuffix(".weight")
            if part in _KOHYA and module != tensor and len(shape) in (2, 4):
                yield Layer(file, tensor, _text_module(module) if part != "unet" else module, shape)


def _text_module(module: str) -> str:
    """Versions of transformers differ in what they write before a text encoder's names."""
    return module if module.startswith(("text_model.", "text_projection")) else f"text_model.{module}"


def _original_names(tensors: list[str]) -> dict[str, str]:
    """The original Stable Diffusion code's path of every layer of a UNet, by diffusers' path."""
    modules = [name.removesuffix(".weight") for name in tensors if name.endswith(".weight")]
    per_block = sum(bool(re.match(r"^down_blocks\.0\.resnets\.\d+\.conv1$", module)) for module in modules)
    attends = {module.split(".")[1] for module in modules if re.match(r"^up_blocks\.\d+\.attentions\.", module)}
    return {module: _original(module, per_block, attends) for module in modules}


def _original(module: str, per_block: int, attends: set[str]) -> str:
    """Down blocks are one flat list there, [stem, (layers, down-sampler)…]; up blocks one of layers + 1 a block."""
    for new, old in _ENDS.items():
        if module == new:
            return old
    if found := _RESNET_PATH.match(module):
        side, block, layer, rest = found[1], int(found[2] or 0), int(found[3]), _RESNET.get(found[4], found[4])
        if side == "mid_block":
            return f"middle_block.{2 * layer}.{rest}"
        if side == "down_blocks":
            return f"input_blocks.{1 + block * (per_block + 1) + layer}.0.{rest}"
        return f"output_blocks.{block * (per_block + 1) + layer}.0.{rest}"
    if found := _SAMPLER_PATH.match(module):
        block = int(found[2])
        if found[1] == "down":
            return f"input_blocks.{(block + 1) * (per_block + 1)}.0.op"
        return f"output_blocks.{block * (per_block + 1) + per_block}.{2 if found[2] in attends else 1}.conv"
    return sgm_name(module, per_block)
