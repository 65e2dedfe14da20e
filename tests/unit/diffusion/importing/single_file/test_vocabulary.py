"""CLIP's vocabulary out of the package of the index: what every CLIP tokenizer says of the same text."""

from __future__ import annotations

import json
import os
from pathlib import Path

from transformers import AutoTokenizer

from headshots.diffusion.importing.defaults import as_json
from headshots.diffusion.importing.single_file.shapes import family_config
from headshots.diffusion.importing.single_file.vocabulary import Packages
from tests.support.foundations.clip import clip_links
from tests.support.foundations.single_files import toy_packages


def test_the_published_vocabulary_reads_texts_as_clip_does(tmp_path: Path) -> None:
    """Numbers that OpenAI's tokenizer gives, known from its own documentation and tests."""
    found = Packages([clip_links()], os.environ).vocabulary(tmp_path, "out")
    assert found.words == 49408
    assert "Permission is hereby granted" in found.licence
    words = json.loads(found.vocab)
    assert (words["!"], words["a</w>"], words["<|startoftext|>"], words["<|endoftext|>"]) == (0, 320, 49406, 49407)
    folder = tmp_path / "tokenizer"
    folder.mkdir()
    (folder / "vocab.json").write_text(found.vocab)
    (folder / "merges.txt").write_text(found.merges)
    (folder / "tokenizer_config.json").write_text(as_json(family_config("sdxl", "tokenizer")))
    read = AutoTokenizer.from_pretrained(folder)
    assert read("a photo of a cat")["input_ids"] == [49406, 320, 1125, 539, 320, 2368, 49407]
    assert read("A  PHOTO of a Cat")["input_ids"] == [49406, 320, 1125, 539, 320, 2368, 49407]
    assert read("hello world!")["input_ids"] == [49406, 3306, 1002, 256, 49407]
    assert [path.name for path in tmp_path.iterdir()] == ["tokenizer"], "what was downloaded is gone"


def test_a_toy_vocabulary_is_numbered_alike(tmp_path: Path) -> None:
    """Bytes, bytes that end a word, merges in their order, the two marks."""
    found = toy_packages().vocabulary(tmp_path, "out")
    words = list(json.loads(found.vocab))
    assert words[:2] == ["!", '"']
    assert words[256] == "!</w>"
    assert words[512:514] == ["th", "the</w>"]
    assert words[-2:] == ["<|startoftext|>", "<|endoftext|>"]
    assert len(words) == found.words
