"""Makes a CLIP tokenizer over the world's words: each is one token, and so is each spare trigger."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from torch import Tensor
from transformers import CLIPTokenizer

from foundry.portraits import (
    BACKDROPS,
    BEARDS,
    CLASS_NOUNS,
    GLASSES,
    HAIR_COLOURS,
    HAIR_STYLES,
    LIGHTS,
    OUTFITS,
    TRIGGERS,
)

MAX_TOKENS = 40
START, END = "<|startoftext|>", "<|endoftext|>"
_PATTERN = r"""<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"""
# What captions say beside the world's own names, and what prompts of other models like to say.
_COMMON = """headshot portrait photo selfie picture image studio professional photorealistic high quality sharp
focus detailed of a an the with and in front behind wearing background haired hair no beard glasses smiling serious
young old middle aged person people man woman men women blurry low bad worst best natural business casual corporate
lighting light close up face looking at camera neutral expression bokeh soft warm cool dark bright 85mm mm 8k 4k"""


def world_words() -> list[str]:
    """Every word that gets a token of its own, sorted."""
    names = [*OUTFITS, *BACKDROPS, *LIGHTS, *CLASS_NOUNS, *HAIR_COLOURS, *GLASSES, *BEARDS, *TRIGGERS]
    names += [style for styles in HAIR_STYLES.values() for style in styles]
    found = re.findall(r"[a-z]+|[0-9]", " ".join([*names, _COMMON]))
    return sorted(set(found))


def make_tokenizer() -> Tokenizer:
    """A byte-level BPE in CLIP's form whose merges build exactly the world's words (other words fall to pieces)."""
    merges = merges_for(world_words())
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    names = [START, END, *letters, *[letter + "</w>" for letter in letters], *["".join(pair) for pair in merges]]
    vocabulary = {name: index for index, name in enumerate(dict.fromkeys(names))}
    tokenizer = Tokenizer(
        models.BPE(vocabulary, merges, continuing_subword_prefix="", end_of_word_suffix="</w>", unk_token=END)
    )
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PATTERN), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.RobertaProcessing(
        (END, vocabulary[END]), (START, vocabulary[START]), add_prefix_space=False, trim_offsets=False
    )
    return tokenizer


def merges_for(words: list[str]) -> list[tuple[str, str]]:
    """Byte-pair merges until every word is one piece.

    Not `tokenizers`' trainer: it breaks ties between equally frequent pairs by chance, so that each run would number
    the words differently and a resumed training would read other words than it began with.
    """
    pieces = [[*word[:-1], word[-1] + "</w>"] for word in sorted(set(words))]
    merges = []
    while counts := Counter(pair for word in pieces for pair in pairwise(word)):
        first, second = best = min(counts, key=lambda pair: (-counts[pair], pair))
        merges.append(best)
        for word in pieces:
            place = 0
            while place < len(word) - 1:
                if (word[place], word[place + 1]) == (first, second):
                    word[place : place + 2] = [first + second]
                place += 1
    return merges


def save_tokenizer(folder: Path) -> CLIPTokenizer:
    """Write `folder` so that both CLIPTokenizer and the tokenizers library alone load it; returns the former."""
    folder.mkdir(parents=True, exist_ok=True)
    state = json.loads(make_tokenizer().to_str())
    (folder / "vocab.json").write_text(json.dumps(state["model"]["vocab"]))
    merges = [" ".join(pair) if isinstance(pair, list) else pair for pair in state["model"]["merges"]]
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]) + "\n")
    tokenizer = CLIPTokenizer(
        vocab=str(folder / "vocab.json"),
        merges=str(folder / "merges.txt"),
        model_max_length=MAX_TOKENS,
        pad_token=END,
    )
    tokenizer.save_pretrained(folder)
    return tokenizer


def tokenize(tokenizer: CLIPTokenizer, texts: list[str]) -> Tensor:
    """Padded token ids, int64 [B, L]."""
    encoded = tokenizer(texts, padding="max_length", truncation=True, max_length=MAX_TOKENS, return_tensors="pt")
    ids: Tensor = encoded.input_ids
    return ids
