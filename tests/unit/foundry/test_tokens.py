"""The tokenizer: every word of the world is one token, for both libraries that read it, and nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import Tokenizer
from transformers import CLIPTokenizer

from foundry.dataset import captions
from foundry.portraits import TRIGGERS
from foundry.tokens import END, MAX_TOKENS, START, make_tokenizer, save_tokenizer, world_words


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tokenizer")
    save_tokenizer(path)
    return path


def test_each_world_word_and_trigger_is_one_token(folder: Path) -> None:
    tokenizer = CLIPTokenizer.from_pretrained(folder)
    assert [word for word in world_words() if len(tokenizer.tokenize(word)) != 1] == []
    assert set(TRIGGERS) <= set(world_words())


def test_captions_survive_the_round_trip(folder: Path) -> None:
    tokenizer = CLIPTokenizer.from_pretrained(folder)
    for index in range(30):
        for text in captions(index):
            ids = tokenizer(text).input_ids
            assert len(ids) <= MAX_TOKENS
            spoken = tokenizer.decode(ids, skip_special_tokens=True)
            assert spoken.replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize("text", ["headshot of a ohwx man", "a zebra, 1984!", "", "Ärger überall", "a\n b"])
def test_both_libraries_agree(folder: Path, text: str) -> None:
    alone = Tokenizer.from_file(str(folder / "tokenizer.json"))
    ids = alone.encode(text).ids
    assert ids == CLIPTokenizer.from_pretrained(folder)(text).input_ids
    assert ids[0] == alone.token_to_id(START)
    assert ids[-1] == alone.token_to_id(END)


def test_padding_reaches_the_context_length(folder: Path) -> None:
    tokenizer = CLIPTokenizer.from_pretrained(folder)
    assert tokenizer.model_max_length == MAX_TOKENS
    assert len(tokenizer("a man", padding="max_length").input_ids) == MAX_TOKENS


def test_the_vocabulary_is_the_same_every_time() -> None:
    assert make_tokenizer().to_str() == make_tokenizer().to_str()
