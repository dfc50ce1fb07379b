"""A process that converts saved models, by Keras' own `Model.export` and by the formats' own quantization.

Run as a script, in isolation from everything but the converters; nothing of this package is imported here.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

#: How a model is named in what is told of it, at most so many characters of a reason.
_LONGEST = 300


def litert(network: Any, out: Path, images: Any) -> None:
    """Write a network for LiteRT; in whole numbers of 8 bits where there are images to see its ranges by."""
    if images is None:
        network.export(str(out), format="litert", verbose=False)
        return
    import tensorflow as tf

    network.export(
        str(out),
        format="litert",
        verbose=False,
        optimizations=[tf.lite.Optimize.DEFAULT],
        representative_dataset=lambda: ([image[None]] for image in images),
    )


def onnx(network: Any, out: Path, images: Any) -> None:
    """Write a network for ONNX; see `litert`."""
    if images is None:
        network.export(str(out), format="onnx", verbose=False)
        return
    from onnxruntime.quantization import CalibrationDataReader, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    exported, whole = (out.with_name(f"{what}-{out.name}") for what in ("float", "folded"))
    network.export(str(exported), format="onnx", verbose=False)
    # Batch normalization is folded into convolutions first: a MobileNetV2 lost 24 points without it, 6 with it.
    quant_pre_process(str(exported), str(whole), skip_symbolic_shape=True)

    class Images(CalibrationDataReader):  # type: ignore[misc]  # it has no types
        """Gives the images one by one."""

        def __init__(self) -> None:
            self._images, self._name = iter(images), _input_of(whole)

        def get_next(self) -> dict[str, Any] | None:
            image = next(self._images, None)
            return None if image is None else {self._name: image[None]}

    quantize_static(str(whole), str(out), Images(), per_channel=True)
    exported.unlink()
    whole.unlink()


def _input_of(path: Path) -> str:
    import onnx as library

    return str(library.load(str(path), load_external_data=False).graph.input[0].name)


def savedmodel(network: Any, out: Path, images: Any) -> None:
    """Write a network as TensorFlow's SavedModel."""
    network.export(str(out), format="tf_saved_model", verbose=False)


def _with_plain_constants(network: Any) -> None:
    """Let what a network normalizes by be constants of its graph, which ONNX would take for further inputs."""
    import keras
    import numpy as np

    for layer in network._flatten_layers():
        if isinstance(layer, keras.layers.Normalization):
            layer.mean, layer.variance = np.asarray(layer.mean), np.asarray(layer.variance)


CONVERTERS = {"litert": litert, "onnx": onnx, "savedmodel": savedmodel}


def main() -> None:
    """Convert the models of the jobs on the standard input; answer with what went wrong with each, a line of JSON."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what converters print is no answer
    import keras
    import numpy as np

    for job in json.loads(sys.stdin.readline()):
        wrong = ""
        try:
            network = keras.models.load_model(job["model"], compile=False)
            _with_plain_constants(network)
            network(np.zeros((1, *network.input_shape[1:]), np.float32))  # Keras exports to ONNX what was called once
            images = np.load(job["images"]).astype(network.inputs[0].dtype) if job["images"] else None
            CONVERTERS[job["format"]](network, Path(job["out"]), images)
        except Exception as error:  # noqa: BLE001  # converters raise anything for layers that they cannot take
            text = " ".join(str(error).split()) or type(error).__name__
            wrong = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
        answers.write(json.dumps(wrong) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
