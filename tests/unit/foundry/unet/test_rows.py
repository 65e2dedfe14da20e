"""Rows of a step are new portraits, and the same ones whenever the step is asked for."""

from __future__ import annotations

import pytest
import torch
from transformers import CLIPTokenizer

from foundry.latents import PatchCode, to_tensor
from foundry.parallel import Ranks
from foundry.tokens import save_tokenizer, tokenize
from foundry.unet.drawing import draw
from foundry.unet.rows import DrawnRows, Rounds, Rows
from foundry.unet.workers import Workers

BATCH, ROUNDS = 4, Rounds(batches=2, passes=2)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> CLIPTokenizer:
    return save_tokenizer(tmp_path_factory.mktemp("tokenizer"))


@pytest.fixture
def code() -> PatchCode:
    basis, _ = torch.linalg.qr(torch.randn(192, 16, generator=torch.Generator().manual_seed(0)))
    return PatchCode(torch.zeros(192), basis, torch.ones(16))


def source(code: PatchCode, tokenizer: CLIPTokenizer, ranks: Ranks | None = None, seed: int = 0) -> DrawnRows:
    return DrawnRows(code, tokenizer, "close", BATCH, seed, ranks or Ranks(), Workers(0), ROUNDS)


def same(one: Rows, other: Rows) -> bool:
    """Latents, captions, truth, and the random stream."""
    assert one.truth is not None
    assert other.truth is not None
    return (
        torch.equal(one.latents_BCHW, other.latents_BCHW)
        and torch.equal(one.ids_BL, other.ids_BL)
        and torch.equal(one.truth.traits_BT, other.truth.traits_BT)
        and one.rng.bit_generator.state == other.rng.bit_generator.state
    )


def test_a_step_has_the_same_rows_in_a_run_that_begins_with_it(code: PatchCode, tokenizer: CLIPTokenizer) -> None:
    whole, resumed, other = source(code, tokenizer), source(code, tokenizer), source(code, tokenizer, seed=1)
    steps = [whole.rows(step) for step in range(6)]
    assert same(steps[5], resumed.rows(5))
    assert not same(steps[5], other.rows(5))


def test_every_portrait_of_a_round_is_used_in_each_pass_and_none_in_another_round(
    code: PatchCode, tokenizer: CLIPTokenizer
) -> None:
    rows = source(code, tokenizer)
    passes = [torch.cat([rows.rows(step).latents_BCHW for step in steps]) for steps in ((0, 1), (2, 3), (4, 5))]
    first, second, next_round = ({one.numpy().tobytes() for one in latents} for latents in passes)
    assert len(first) == 8
    assert first == second
    assert not torch.equal(passes[0], passes[1]), "another order"
    assert not first & next_round


def test_rows_fit_together(code: PatchCode, tokenizer: CLIPTokenizer) -> None:
    rows = source(code, tokenizer)
    drawn = [draw(order) for order in rows.orders(0)]
    latents = torch.cat([code.encode(to_tensor(one.pixels)) for one in drawn]).half().float()
    captions = [texts for one in drawn for texts in one.captions]
    given = rows.rows(2)
    assert given.truth is not None
    for latent, ids, traits in zip(given.latents_BCHW, given.ids_BL, given.truth.traits_BT, strict=True):
        number = int((latents - latent).abs().sum((1, 2, 3)).argmin())
        assert torch.equal(latents[number], latent)
        assert torch.equal(traits, torch.from_numpy(drawn[0].traits)[number])
        said = [tokenize(tokenizer, [text])[0] for text in (captions[number][1], "")]
        assert any(torch.equal(ids, one) for one in said), "a pass has a wording of its own"


def test_ranks_draw_different_portraits_and_share_the_batch(code: PatchCode, tokenizer: CLIPTokenizer) -> None:
    one, two = (source(code, tokenizer, Ranks(rank, 2)).rows(0) for rank in (0, 1))
    assert len(one.latents_BCHW) == len(two.latents_BCHW) == BATCH // 2
    assert not torch.equal(one.latents_BCHW, two.latents_BCHW)
    with pytest.raises(ValueError, match="multiple of 3"):
        source(code, tokenizer, Ranks(0, 3))


def test_some_captions_are_empty_and_most_are_not(code: PatchCode, tokenizer: CLIPTokenizer) -> None:
    rows, empty = source(code, tokenizer), tokenize(tokenizer, [""])[0]
    left_out = [bool((ids == empty).all()) for step in range(8) for ids in rows.rows(step).ids_BL]
    assert 0 < sum(left_out) < len(left_out) / 2
