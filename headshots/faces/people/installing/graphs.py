"""Changes ONNX graphs that are taken as they come: weights in half the bytes, sizes that may vary. Imports onnx."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# Smaller constants stay as they are: nothing is gained.
_LEAST_NUMBERS = 32


def halve(model: Any) -> Any:
    """Store the fp32 weights of `model` as fp16; each is cast back where it is used, and nothing else changes."""
    graph, casts = model.graph, []
    for tensor in list(graph.initializer):
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.size >= _LEAST_NUMBERS:
            half = f"{tensor.name}_fp16"
            graph.initializer.remove(tensor)
            graph.initializer.append(numpy_helper.from_array(values.astype(np.float16), half))
            casts.append(helper.make_node("Cast", [half], [tensor.name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    # Graphs of old ONNX versions list weights among their inputs; one that is cast is none.
    names = {cast.output[0] for cast in casts}
    for listed in [each for each in graph.input if each.name in names]:
        graph.input.remove(listed)
    onnx.checker.check_model(model, full_check=True)
    return model


def any_size(model: Any) -> Any:
    """YuNet for pictures of any height and width that 32 divides; its file says 640 x 640."""
    for axis, name in ((2, "height"), (3, "width")):
        model.graph.input[0].type.tensor_type.shape.dim[axis].dim_param = name
    for output in model.graph.output:
        output.type.tensor_type.shape.dim[1].dim_param = f"{output.name}_cells"
    del model.graph.value_info[:]
    onnx.checker.check_model(model)
    return model
