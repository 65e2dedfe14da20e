"""Encodes prompts to contexts with a package's tokenizers and text encoders, and tells what these read of a text.

Shapes: T tokens, D context width, E pooled width (SDXL only).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from headshots.diffusion.package import TextEncoder

FloatArray = npt.NDArray[np.float32]


class Graph(Protocol):
    """A network that takes arrays by name and answers its outputs in order."""

    def run(self, inputs: Mapping[str, npt.NDArray[np.generic]]) -> list[npt.NDArray[np.generic]]:
        """Outputs of one call."""
        ...


@dataclass(frozen=True)
class Context:
    """What the UNet is told of a prompt."""

    context_TD: FloatArray
    pooled_E: FloatArray | None


class ClipTokenizer:
    """Text to exactly ``max_tokens`` ids: cut, closed by the end token, padded as the foundation's tokenizer pads."""

    def __init__(self, file: Path, max_tokens: int, pad_id: int) -> None:
        self._tokenizer = Tokenizer.from_file(str(file))
        self._tokenizer.enable_truncation(max_tokens)
        self._tokenizer.enable_padding(length=max_tokens, pad_id=pad_id)

    def ids(self, text: str) -> npt.NDArray[np.int64]:
        """Token ids, [T]."""
        return np.asarray(self._tokenizer.encode(text).ids, np.int64)


@dataclass(frozen=True)
class Reading:
    """What text encoders read of a text."""

    tokens: int
    """That it needs, start and end included."""
    lost: str
    """From the first word that the window cuts to the end; empty where all is read."""


class TextReader:
    """Counts the tokens of texts as a package's tokenizers do. Thread-safe."""

    def __init__(self, folder: Path, encoders: Sequence[TextEncoder]) -> None:
        self._tokenizers = [(_whole(folder / encoder.tokenizer), encoder.max_tokens) for encoder in encoders]

    def read(self, text: str) -> Reading:
        """What all text encoders together read: of two, the one that loses more counts."""
        readings = [_reading(tokenizer, window, text) for tokenizer, window in self._tokenizers]
        return max(readings, key=lambda reading: (len(reading.lost), reading.tokens), default=Reading(0, ""))


def _whole(file: Path) -> Tokenizer:
    """A tokenizer that neither cuts nor pads."""
    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _reading(tokenizer: Tokenizer, window: int, text: str) -> Reading:
    encoding = tokenizer.encode(text)
    special = encoding.special_tokens_mask
    content = [index for index, is_special in enumerate(special) if not is_special]
    room = window - sum(special)
    if len(content) <= room:
        return Reading(len(special), "")
    cut_word = encoding.word_ids[content[room]]
    start = min(encoding.offsets[index][0] for index in content if encoding.word_ids[index] == cut_word)
    return Reading(len(special), text[start:].strip())


class ContextEncoder:
    """Encodes prompts and remembers the last ``capacity`` of them. Thread-safe."""

    def __init__(
        self,
        folder: Path,
        encoders: Sequence[TextEncoder],
        graphs: Sequence[Graph],
        *,
        zero_when_empty: bool = False,
        capacity: int = 512,
    ) -> None:
        """``zero_when_empty``: an empty prompt is all zeros, as SDXL's pipelines take an empty negative prompt."""
        self._parts = [
            (ClipTokenizer(folder / encoder.tokenizer, encoder.max_tokens, encoder.pad_id), graph)
            for encoder, graph in zip(encoders, graphs, strict=True)
        ]
        self._zero_when_empty = zero_when_empty
        self._capacity = capacity
        self._known: OrderedDict[str, Context] = OrderedDict()
        self._lock = threading.Lock()

    def encode(self, prompt: str) -> Context:
        """The context of ``prompt``; always computed alone, so that it never depends on other prompts."""
        with self._lock:
            if prompt in self._known:
                self._known.move_to_end(prompt)
                return self._known[prompt]
            context = self._compute(prompt)
            self._known[prompt] = context
            if len(self._known) > self._capacity:
                self._known.popitem(last=False)
            return context

    def _compute(self, prompt: str) -> Context:
        contexts, pooled = [], None
        for tokenizer, graph in self._parts:
            outputs = graph.run({"ids": tokenizer.ids(prompt)[None]})
            contexts.append(outputs[0][0].astype(np.float32))
            if len(outputs) > 1:
                pooled = outputs[1][0].astype(np.float32)
        context = np.concatenate(contexts, axis=-1)
        if self._zero_when_empty and not prompt:
            context, pooled = np.zeros_like(context), None if pooled is None else np.zeros_like(pooled)
        return Context(context, pooled)
