"""LoRA files of all tools that matter, against PEFT and diffusers; and files that must be refused."""

from __future__ import annotations

import io
import json
import math
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.utils import convert_state_dict_to_kohya
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load, save

from headshots.diffusion.lora.files import (
    LoraPair,
    diffusers_lora_bytes,
    kohya_lora_bytes,
    load_row,
    pack,
    write_diffusers_lora,
    write_kohya_lora,
)
from headshots.diffusion.lora.layout import AdaptedLayer, Layout, sgm_name
from headshots.errors import InvalidAdapterError
from tests.support.foundations.engines import lora_bytes, peft_unet, tiny_digest, tiny_package, with_metadata

LAYOUT = Layout.build(
    [
        AdaptedLayer("down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q", 4, 6, heads=2),
        AdaptedLayer("mid_block.attentions.0.transformer_blocks.0.attn1.to_out.0", 6, 4),
    ],
    max_rank=3,
)
Q, OUT = (site.name for site in LAYOUT.sites)


def pair(rank: int = 2, inputs: int = 4, outputs: int = 6, scale: float = 1.0, seed: int = 0) -> LoraPair:
    random = np.random.default_rng(seed)
    a = random.standard_normal((rank, inputs), dtype=np.float32)
    return LoraPair(a, random.standard_normal((outputs, rank), dtype=np.float32), scale)


def deltas(row: np.ndarray[Any, Any], layout: Layout) -> dict[str, np.ndarray[Any, Any]]:
    """The weight change [out, in] that a row means at each site."""
    found = {}
    for site in layout.sites:
        rank, inputs, outputs = layout.max_rank, site.in_features, site.out_features
        a = row[site.a_offset : site.a_offset + inputs * rank].reshape(inputs, rank)
        by_head = row[site.b_offset : site.b_offset + rank * outputs].reshape(site.heads, rank, -1)
        found[site.name] = (a @ np.concatenate(by_head, axis=1)).T
    return found


def peft_deltas(unet: torch.nn.Module) -> dict[str, np.ndarray[Any, Any]]:
    """What PEFT itself says that its adapter adds to each weight."""
    return {
        # Of a 1 x 1 convolution [O, I, 1, 1].
        name: module.get_delta_weight("default").detach().flatten(1).numpy()
        for name, module in unet.named_modules()
        if hasattr(module, "get_delta_weight") and "default" in module.lora_A
    }


def assert_same_deltas(row: np.ndarray[Any, Any], layout: Layout, unet: torch.nn.Module) -> None:
    expected, found = peft_deltas(unet), deltas(row, layout)
    assert expected
    assert set(expected) <= set(found)
    for name, delta in found.items():
        want = expected.get(name, np.zeros_like(delta))
        np.testing.assert_allclose(delta, want, rtol=1e-4, atol=1e-6, err_msg=name)


def test_a_row_lays_matrices_of_a_size_side_by_side_each_at_a_multiple_of_it() -> None:
    sizes = [(4, 6), (6, 4), (6, 6), (4, 10), (10, 4)]
    layers = [AdaptedLayer(f"layer-{number}", *size) for number, size in enumerate(sizes)]
    layout = Layout.build(layers, max_rank=3)
    used = np.zeros(layout.row_size, int)
    for site in layout.sites:
        for offset, width in ((site.a_offset, site.in_features), (site.b_offset, site.out_features)):
            used[offset : offset + width * 3] += 1
            assert offset % (width * 3) == 0
            assert layout.row_size % (width * 3) == 0, "or the bank were no table of such matrices"
    assert used.max() == 1, "nothing overlaps"
    assert used.sum() == sum(3 * (inputs + outputs) for inputs, outputs in sizes)
    assert layout.sites[3].a_offset == layout.sites[0].a_offset + 4 * 3
    assert layout.sites[2].b_offset == layout.sites[0].b_offset + 6 * 3
    assert Layout.from_json(json.loads(json.dumps(layout.to_json()))) == layout


def test_a_row_does_not_grow_for_sizes_that_few_matrices_have() -> None:
    layers = [AdaptedLayer(f"layer-{number}", 640, 1280) for number in range(40)]
    layout = Layout.build([*layers, AdaptedLayer("odd", 11 * 640, 640)], max_rank=4)
    floats = 4 * (40 * (640 + 1280) + 12 * 640)
    assert floats <= layout.row_size < 1.2 * floats
    assert layout.row_size % (4 * 1280) == 0
    assert layout.row_size % (4 * 11 * 640), "the odd one is read in pieces"


@pytest.mark.parametrize(("rank", "alpha"), [(1, 1.0), (4, 16.0), (8, 2.0)])
def test_what_diffusers_saves_means_what_peft_computes(rank: int, alpha: float) -> None:
    unet = peft_unet(rank, alpha, seed=1)
    layout = tiny_package().layout
    assert_same_deltas(load_row(lora_bytes(unet), layout, tiny_digest()), layout, unet)


def test_mixed_ranks_alphas_and_rank_stabilised_scales() -> None:
    """rank_pattern and alpha_pattern name layers by the end of their paths; use_rslora divides by the root."""
    more = {
        "rank_pattern": {"attn1.to_q": 2, "to_out.0": 6},
        "alpha_pattern": {"attn1.to_q": 7.0},
        "use_rslora": True,
    }
    unet = peft_unet(4, 3.0, seed=2, **more)
    layout = tiny_package().layout
    assert_same_deltas(load_row(lora_bytes(unet), layout, tiny_digest()), layout, unet)


def test_kohya_file_written_by_diffusers_own_converter() -> None:
    unet = peft_unet(4, 4.0, seed=3)
    state = {f"unet.{key}": value for key, value in get_peft_model_state_dict(unet).items()}
    data = save({key: value.contiguous() for key, value in convert_state_dict_to_kohya(state).items()})
    assert any(key.startswith("lora_unet_down_blocks_0") for key in load(data))
    layout = tiny_package().layout
    assert_same_deltas(load_row(data, layout, tiny_digest()), layout, unet)


def test_kohya_alpha_and_the_original_repositorys_names() -> None:
    a, b = np.ones((2, 4), np.float32), np.ones((6, 2), np.float32)
    name = "lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q"
    tensors = {f"{name}.lora_down.weight": a, f"{name}.lora_up.weight": b, f"{name}.alpha": np.float32(0.5)}
    data = save({key: torch.tensor(value) for key, value in tensors.items()})
    np.testing.assert_allclose(deltas(load_row(data, LAYOUT, "d"), LAYOUT)[Q], b @ a * 0.25)


def test_sgm_names_are_those_of_diffusers_own_table() -> None:
    """SDXL: three down blocks of two layers; the numbers are those of its published checkpoints."""
    assert sgm_name("down_blocks.2.attentions.1.proj", 2) == "input_blocks.8.1.proj"
    assert sgm_name("up_blocks.0.attentions.2.proj", 2) == "output_blocks.2.1.proj"
    assert sgm_name("mid_block.attentions.0.proj", 2) == "middle_block.1.proj"


def test_what_we_write_reads_back_in_both_layouts(tmp_path: Any) -> None:
    pairs = {Q: pair(2, 4, 6, scale=0.5), OUT: pair(3, 6, 4, scale=4.0, seed=1)}
    expected = pack(pairs, LAYOUT)
    write_diffusers_lora(tmp_path / "a", pairs, {"foundation_digest": "d"})
    write_kohya_lora(tmp_path / "b", pairs, {"foundation_digest": "d"})
    for name in ("a", "b"):
        np.testing.assert_allclose(load_row((tmp_path / name).read_bytes(), LAYOUT, "d"), expected, rtol=1e-6)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]


def test_equal_weights_are_equal_bytes_whatever_the_order() -> None:
    pairs = {Q: pair(), OUT: pair(2, 6, 4)}
    backwards = dict(reversed(list(pairs.items())))
    for write in (diffusers_lora_bytes, kohya_lora_bytes):
        data = write(pairs, {"b": "1", "a": "2"})
        assert data == write(backwards, {"a": "2", "b": "1"})
        assert load(data).keys()


def test_each_layout_keeps_its_own_conventions() -> None:
    """diffusers stumbles over .alpha keys, kohya's heirs over PEFT's metadata."""
    from safetensors import deserialize

    pairs = {Q: pair(), OUT: pair(2, 6, 4)}
    keys = [name for name, _ in deserialize(diffusers_lora_bytes(pairs, {}))]
    assert not any(key.endswith(".alpha") for key in keys)
    assert all(key.startswith("unet.") for key in keys)
    assert b"lora_adapter_metadata" not in kohya_lora_bytes(pairs, {})


def test_half_precision_files_load() -> None:
    pairs = {Q: pair()}
    tensors = load(diffusers_lora_bytes(pairs, {}))
    for dtype, digits in ((torch.float16, 1e-3), (torch.bfloat16, 2e-2)):
        data = save({key: value.to(dtype) for key, value in tensors.items()})
        row = load_row(data, LAYOUT, "d")
        np.testing.assert_allclose(row, pack(pairs, LAYOUT), rtol=digits, atol=digits)


def _pickle() -> bytes:
    file = io.BytesIO()
    torch.save({"unet.x.lora_A.weight": torch.ones(1)}, file)
    return file.getvalue()


def _nan(value: float) -> bytes:
    bad = pair()
    bad.b_OR[1, 1] = value
    return diffusers_lora_bytes({Q: bad}, {})


def _with_peft(config: str) -> bytes:
    return diffusers_lora_bytes({Q: pair()}, {"lora_adapter_metadata": config})


def _kohya_alpha(alpha: torch.Tensor) -> bytes:
    tensors = load(kohya_lora_bytes({Q: pair()}, {}))
    return save({name: alpha if name.endswith(".alpha") else tensor for name, tensor in tensors.items()})


def _with_a(a: torch.Tensor) -> bytes:
    return save({**load(GOOD), f"unet.{Q}.lora_A.weight": a})


def _raw_file(header: bytes) -> bytes:
    return len(header).to_bytes(8, "little") + header


def _empty_tensors(count: int) -> bytes:
    empty = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    return _raw_file(json.dumps({f"{Q}.{number}": empty for number in range(count)}).encode())


GOOD = diffusers_lora_bytes({Q: pair()}, {})
REFUSED: list[tuple[str, bytes]] = [
    ("ADAPTER_CORRUPT", b""),
    ("ADAPTER_CORRUPT", b"not a file"),
    ("ADAPTER_CORRUPT", GOOD[:-1]),
    ("ADAPTER_CORRUPT", GOOD + b"x"),
    ("ADAPTER_CORRUPT", b"\xff" * 8 + GOOD[8:]),
    ("ADAPTER_CORRUPT", _pickle()),
    ("ADAPTER_CORRUPT", save({f"{Q}.lora_A.weight": torch.ones(2, 4, dtype=torch.int8)})),
    ("ADAPTER_CORRUPT", diffusers_lora_bytes({Q: pair()}, {"lora_adapter_metadata": "{"})),
    ("ADAPTER_CORRUPT", diffusers_lora_bytes({Q: pair()}, {"lora_adapter_metadata": "[" * 100_000})),
    ("ADAPTER_CORRUPT", _with_peft('{"lora_alpha": "2"}')),
    ("ADAPTER_CORRUPT", _with_peft('{"lora_alpha": true}')),
    ("ADAPTER_CORRUPT", _with_peft('{"alpha_pattern": {"a": [1]}}')),
    ("ADAPTER_PATTERN_REFUSED", _with_peft('{"alpha_pattern": {"(": 1}}')),
    ("ADAPTER_PATTERN_REFUSED", _with_peft('{"alpha_pattern": {"(?=a)": 1}}')),
    ("ADAPTER_PATTERN_REFUSED", _with_peft('{"alpha_pattern": {"a{99999999999999999999}": 1}}')),
    ("ADAPTER_PATTERN_REFUSED", _with_peft('{"alpha_pattern": {"((a{100}){100}){100}": 1}}')),
    ("ADAPTER_NOT_FINITE", _with_peft(f'{{"lora_alpha": 1{"0" * 400}}}')),
    ("ADAPTER_NOT_FINITE", _with_peft('{"lora_alpha": 1e39}')),
    ("ADAPTER_NOT_FINITE", _with_peft('{"lora_alpha": NaN}')),
    ("ADAPTER_NOT_FINITE", _with_peft('{"lora_alpha": -Infinity}')),
    ("ADAPTER_NOT_FINITE", _with_peft(f'{{"alpha_pattern": {{"to_q": 1{"0" * 400}}}}}')),
    ("ADAPTER_NOT_FINITE", _with_peft('{"lora_alpha": 3.4e38, "use_rslora": true}')),
    ("ADAPTER_NOT_FINITE", _kohya_alpha(torch.tensor(1e300, dtype=torch.float64))),
    ("ADAPTER_NOT_FINITE", _with_a(torch.full((2, 4), 1e300, dtype=torch.float64))),
    ("ADAPTER_TOO_MANY_TENSORS", _empty_tensors(20_001)),
    ("ADAPTER_UNKNOWN_LAYERS", _empty_tensors(20_000)),
    ("ADAPTER_CORRUPT", _raw_file(b"[]")),
    ("ADAPTER_CORRUPT", _raw_file(b"[" * 100_000)),
    ("ADAPTER_CORRUPT", _raw_file(b" " * (16 << 20) + b"{}")),
    ("ADAPTER_SHAPE_MISMATCH", save({f"{Q}.lora_A.weight": torch.ones(0, 4), f"{Q}.lora_B.weight": torch.ones(6, 0)})),
    ("ADAPTER_SHAPE_MISMATCH", save({f"{Q}.lora_A.weight": torch.ones([1] * 70)})),
    (
        "ADAPTER_SHAPE_MISMATCH",
        _raw_file(b'{"x":{"dtype":"F32","shape":[0,4611686018427387904],"data_offsets":[0,0]}}'),
    ),
    ("ADAPTER_CORRUPT", save({**load(GOOD), **load(kohya_lora_bytes({Q: pair()}, {}))})),
    ("ADAPTER_FOREIGN_FOUNDATION", diffusers_lora_bytes({Q: pair()}, {"foundation_digest": "other"})),
    ("ADAPTER_EMPTY", save({})),
    ("ADAPTER_RANK_TOO_HIGH", diffusers_lora_bytes({Q: pair(4)}, {})),
    ("ADAPTER_NOT_FINITE", _nan(math.nan)),
    ("ADAPTER_NOT_FINITE", _nan(math.inf)),
    ("ADAPTER_UNKNOWN_LAYERS", diffusers_lora_bytes({Q: pair(), Q.replace("to_q", "to_z"): pair()}, {})),
    ("ADAPTER_UNKNOWN_LAYERS", save({"lora_te_text_model_x.lora_down.weight": torch.ones(2, 2)})),
    ("ADAPTER_UNKNOWN_LAYERS", save({f"unet.{Q}.lora_magnitude_vector": torch.ones(2)})),
    ("ADAPTER_SHAPE_MISMATCH", diffusers_lora_bytes({Q: pair(2, 5, 6)}, {})),
    ("ADAPTER_SHAPE_MISMATCH", diffusers_lora_bytes({Q: pair(2, 4, 7)}, {})),
    ("ADAPTER_SHAPE_MISMATCH", save({f"{Q}.lora_A.weight": torch.ones(4), f"{Q}.lora_B.weight": torch.ones(6)})),
    ("ADAPTER_INCOMPLETE", save({f"unet.{Q}.lora_A.weight": torch.ones(2, 4)})),
    ("ADAPTER_INCOMPLETE", save({f"unet.{Q}.lora_B.weight": torch.ones(6, 2)})),
]


@pytest.mark.parametrize(("reason", "data"), REFUSED, ids=[f"{i}-{r}" for i, (r, _) in enumerate(REFUSED)])
def test_bad_files_are_refused_with_the_reason(reason: str, data: bytes) -> None:
    with pytest.raises(InvalidAdapterError) as caught:
        load_row(data, LAYOUT, "d")
    assert caught.value.reason == reason


def test_what_a_refused_file_says_does_not_make_the_message_long() -> None:
    data = save({f"{letter * 5000}.lora_A.weight": torch.ones(1) for letter in "abcdef"})
    with pytest.raises(InvalidAdapterError) as caught:
        load_row(data, LAYOUT, "d")
    assert len(caught.value.message) < 1000


def test_patterns_of_ranks_are_not_matched_at_all() -> None:
    """The matrices show their ranks; this one would take `re` for ever."""
    config = '{"unet.lora_alpha": 2, "unet.rank_pattern": {"(([a-z0-9._]+)+)+!": 3}}'
    np.testing.assert_array_equal(load_row(_with_peft(config), LAYOUT, "d"), load_row(GOOD, LAYOUT, "d"))


def test_a_pattern_that_freezes_re_is_matched() -> None:
    config = '{"unet.lora_alpha": 2, "unet.alpha_pattern": {"(([a-z0-9._]+)+)+!": 3}}'
    np.testing.assert_array_equal(load_row(_with_peft(config), LAYOUT, "d"), load_row(GOOD, LAYOUT, "d"))


def test_metadata_of_our_own_foundation_is_accepted() -> None:
    data = with_metadata(GOOD, {"foundation_digest": "d"})
    assert np.array_equal(load_row(data, LAYOUT, "d"), load_row(GOOD, LAYOUT, "d"))
