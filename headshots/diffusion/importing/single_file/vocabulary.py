"""Brings CLIP's vocabulary, which no checkpoint holds, out of a package of the index."""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from headshots.packages import Package, bring, find_links, take

_MERGES = "open_clip/bpe_simple_vocab_16e6.txt.gz"
PACKAGE = Package(
    name="open-clip-torch",
    version="3.3.0",
    file="open_clip_torch-3.3.0-py3-none-any.whl",
    sha256="c549ad5ed6bfc119cc11105033c0a2b9d7a2a4afeb40a58a09aab3da1a0043ce",
    licences=("open_clip_torch-3.3.0.dist-info/licenses/LICENSE",),
    members={_MERGES: "924691ac288e54409236115652ad4aa250f48203de50a9e4722a6ecd48d6804a"},
)
"""MIT. The only member is the list of merges that OpenAI published with CLIP, under MIT too."""
_START, _END = "<|startoftext|>", "<|endoftext|>"
_WORDS = 49408
_END_OF_WORD = "</w>"


@dataclass(frozen=True)
class Vocabulary:
    """CLIP's words and merges, as ``vocab.json`` and ``merges.txt``, and the licence that they are under."""

    vocab: str
    merges: str
    licence: str
    words: int


@dataclass(frozen=True)
class Packages:
    """Where packages come from: folders, then pip, which is run with ``environ``."""

    links: Sequence[Path] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    package: Package = PACKAGE

    def vocabulary(self, folder: Path, name: str) -> Vocabulary:
        """CLIP's vocabulary. What is downloaded lies within ``folder`` meanwhile, under a name that `sweep` knows.

        Raises:
            FailedPreconditionError: PACKAGE_MISSING, PACKAGE_CHANGED.
        """
        with tempfile.TemporaryDirectory(prefix=f".{name}.partial-", dir=folder) as work:
            path = bring(self.package, [*self.links, *find_links(self.environ)], Path(work), self.environ)
            taken = take(self.package, path)
        (member,) = self.package.members
        return _vocabulary(gzip.decompress(taken[member]).decode(), taken[self.package.licences[0]].decode())


def _vocabulary(text: str, licence: str) -> Vocabulary:
    """Numbered as CLIP does: bytes, bytes that end a word, what merges make, the two marks."""
    # A trainer's checks read this module, and it has no tokenizers.
    from tokenizers.pre_tokenizers import ByteLevel

    # The characters that stand for bytes: those that print come first, and so do their codes.
    bytes_ = sorted(ByteLevel.alphabet())
    most = _WORDS - 2 * len(bytes_) - 2
    # The first line is a version; the rest of the file were merges of a larger vocabulary.
    merges = [merge for merge in text.split("\n")[1 : most + 1] if merge]
    made = ["".join(merge.split()) for merge in merges]
    words = [*bytes_, *[byte + _END_OF_WORD for byte in bytes_], *made, _START, _END]
    vocab = json.dumps({word: number for number, word in enumerate(words)}, ensure_ascii=False)
    return Vocabulary(vocab, "\n".join(["#version: 0.2", *merges, ""]), licence, len(words))
