"""Writes files as dlib does, with small made-up networks and predictors in them.

A float is written as its 24 bits of mantissa and an exponent, as dlib's `float_details` does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from headshots.faces.people.installing.dat import encoded
from headshots.faces.people.installing.resnet import Stage

Split = tuple[int, int, float]
Tree = tuple[list[Split], list[list[float]]]


def real(value: float) -> bytes:
    """A float."""
    share, exponent = math.frexp(value)
    return encoded(int(share * (1 << 24))) + encoded(exponent - 24)


def reals(values: Sequence[float]) -> bytes:
    """Some floats, without their number."""
    return b"".join(map(real, values))


def vector(items: Sequence[bytes]) -> bytes:
    """A `std::vector`."""
    return encoded(len(items)) + b"".join(items)


def column(values: Sequence[float]) -> bytes:
    """A `matrix<float,0,1>`."""
    return encoded(-len(values)) + encoded(-1) + reals(values)


def tensor(values: np.ndarray, *sizes: int) -> bytes:
    """A tensor of a layer."""
    dims = (*sizes, 1, 1, 1, 1)[:4]
    return b"".join(encoded(value) for value in (2, *dims)) + values.astype("<f4").tobytes()


def predictor(
    mean: Sequence[float],
    cascades: Sequence[Sequence[Tree]],
    anchors: Sequence[Sequence[int]],
    deltas: Sequence[Sequence[tuple[float, float]]],
) -> bytes:
    """A `shape_predictor`."""
    trees = [vector([_tree(*tree) for tree in trees]) for trees in cascades]
    near = [vector([encoded(value) for value in each]) for each in anchors]
    away = [vector([reals(pair) for pair in each]) for each in deltas]
    return encoded(1) + column(mean) + vector(trees) + vector(near) + vector(away)


def _tree(splits: Sequence[Split], leaves: Sequence[Sequence[float]]) -> bytes:
    written = [encoded(one) + encoded(other) + real(threshold) for one, other, threshold in splits]
    return vector(written) + vector([column(leaf) for leaf in leaves])


def network(stages: Sequence[Stage], width: int, draw: Callable[[int], np.ndarray]) -> tuple[bytes, list[np.ndarray]]:
    """A network of `resnet.STAGES`' kind, with weights of `draw`, and the weights in their order."""
    sizes = [3 * stages[0].channels * 49 + stages[0].channels, 2 * stages[0].channels]
    channels = stages[0].channels
    for stage in stages:
        for block in range(stage.blocks):
            for fan_in in (channels if block == 0 else stage.channels, stage.channels):
                sizes += [fan_in * stage.channels * 9 + stage.channels, 2 * stage.channels]
        channels = stage.channels
    weights = [draw(size) for size in sizes]
    last = draw(channels * width)
    layers = b"".join(b"\x05con_4" + tensor(each, each.size) for each in weights)
    data = b"\x01\x01\x0dloss_metric_2" + layers + b"\x04fc_2" + tensor(last, channels, width) + b"\x01\x02\x01\x00"
    return data, [*weights, last]
