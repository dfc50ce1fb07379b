"""A process that runs exported models by what their format is run by, on one thread of the processor.

Run as a script, in isolation from everything but these; nothing of this package is imported here. Each line of the
standard input is a job and each line of the answer what came of it. What a stranger's file makes a runtime do, up to
its end, happens to this process alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: Calls before time is taken.
_WARM_UP = 10
_LONGEST = 300
#: Operations of a SavedModel that only compute; what reads or writes files, or runs other code, is not among them.
_OPERATIONS = """
    Abs Add AddN AddV2 All Any ArgMax ArgMin AvgPool AvgPool3D BatchMatMul BatchMatMulV2 BatchMatMulV3 BatchToSpaceND
    BiasAdd BroadcastTo Cast Ceil ClipByValue Concat ConcatV2 Const Conv2D Conv3D Cumsum DepthToSpace
    DepthwiseConv2dNative DisableCopyOnRead Div DivNoNan Einsum Elu Equal Erf Erfc Exp ExpandDims Expm1 Fill Floor
    FloorDiv FloorMod FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 Gather GatherNd GatherV2 Greater GreaterEqual
    Identity IdentityN If L2Loss LRN LeakyRelu Less LessEqual Log Log1p LogSoftmax LogicalAnd LogicalNot LogicalOr
    MatMul Max MaxPool MaxPool3D MaxPoolV2 Maximum Mean Min Minimum MirrorPad Mul Neg NoOp NotEqual OneHot OnesLike
    Pack Pad PadV2 PartitionedCall Placeholder PlaceholderWithDefault Pow Prod Range Rank ReadVariableOp RealDiv
    Reciprocal Relu Relu6 Reshape ResizeArea ResizeBicubic ResizeBilinear ResizeNearestNeighbor ReverseV2 Round Rsqrt
    Select SelectV2 Selu Shape Sigmoid Sign Size Slice Softmax Softplus Softsign SpaceToBatchND SpaceToDepth
    SparseSoftmaxCrossEntropyWithLogits Split SplitV Sqrt Square SquaredDifference Squeeze StatefulPartitionedCall
    StatelessIf StatelessWhile StopGradient StridedSlice Sub Sum Tan Tanh Tile TopKV2 Transpose Unpack VarHandleOp
    VarIsInitializedOp While Where ZerosLike
"""
_COMPUTING = frozenset(_OPERATIONS.split())
#: What saves and restores variables, which loading does by itself and no network does.
_SAVING = ("__inference__traced_save", "__inference__traced_restore")
#: What a SavedModel's objects may be; others have code that runs as they are loaded, or files of their own.
_OBJECTS = ("user_object", "variable", "function", "bare_concrete_function", "constant", "captured_tensor")

#: Takes images `(n, height, width, channels)` and returns answers `(n, classes)`.
Answer = Callable[[Any], Any]
#: The shape of its input and of its answers, None where a side is open, and what computes them.
Opened = tuple[list[int | None], list[int | None], Answer]


def keras(path: Path) -> Opened:
    """Open a `.keras` file, which was looked at before."""
    import keras as library
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    network = library.models.load_model(path, compile=False)
    run = tf.function(lambda x: network(x, training=False), autograph=False, reduce_retracing=True)
    kind = network.inputs[0].dtype
    return list(network.input_shape), list(network.output_shape), lambda x: run(tf.constant(x, kind)).numpy()


def litert(path: Path) -> Opened:
    """Open a file of LiteRT's, by its own interpreter where that is installed, else by TensorFlow's."""
    with path.open("rb") as file:
        if file.read(8)[4:] != b"TFL3":
            raise ValueError("is not a LiteRT file")
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        import warnings

        import tensorflow as tf

        if not hasattr(tf.lite, "Interpreter"):  # which TensorFlow is to give up
            raise ValueError("nothing runs LiteRT here; install it: pip install 'tunetable[litert]'") from None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it moves to the package that is not installed
            interpreter = tf.lite.Interpreter(str(path), num_threads=1)
    else:
        interpreter = Interpreter(str(path), num_threads=1)
    takes, gives = interpreter.get_input_details(), interpreter.get_output_details()
    if len(takes) != 1 or len(gives) != 1:
        raise ValueError(f"takes {len(takes)} inputs and gives {len(gives)} answers, not one each")
    place, kind = takes[0]["index"], _number(takes[0]["dtype"].__name__)
    now: list[int] = []

    def answer(images: Any) -> Any:
        if now != list(images.shape):
            now[:] = images.shape
            interpreter.resize_tensor_input(place, images.shape)
            interpreter.allocate_tensors()
        interpreter.set_tensor(place, images.astype(kind))
        interpreter.invoke()
        return interpreter.get_tensor(gives[0]["index"])

    return _sides(takes[0]["shape_signature"]), _sides(gives[0]["shape_signature"]), answer


def onnx(path: Path) -> Opened:
    """Open a file of ONNX's, by ONNX Runtime; nothing but the file is read."""
    import onnx as library
    import onnxruntime

    content = path.read_bytes()
    for array in _arrays(library.load_model_from_string(content).graph):
        if array.external_data or array.data_location:
            raise ValueError("keeps weights in other files")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    takes, gives = session.get_inputs(), session.get_outputs()
    if len(takes) != 1 or len(gives) != 1:
        raise ValueError(f"takes {len(takes)} inputs and gives {len(gives)} answers, not one each")
    name, kind = takes[0].name, _number(takes[0].type)
    return _sides(takes[0].shape), _sides(gives[0].shape), lambda x: session.run(None, {name: x.astype(kind)})[0]


def _arrays(graph: Any) -> Any:
    """Yield every array of a graph, and of the graphs within it."""
    yield from graph.initializer
    for array in graph.sparse_initializer:
        yield from (array.values, array.indices)
    for node in graph.node:
        for part in node.attribute:
            yield from (part.t, *part.tensors)
            for inner in (part.g, *part.graphs):
                yield from _arrays(inner) if inner.node or inner.initializer else ()


def savedmodel(path: Path) -> Opened:
    """Open a SavedModel, by TensorFlow, after a look at all that it would compute."""
    import tensorflow as tf
    from tensorflow.core.protobuf import saved_model_pb2

    described = saved_model_pb2.SavedModel()
    described.ParseFromString((path / "saved_model.pb").read_bytes())
    for graph in described.meta_graphs:
        _check_computes(graph)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    run = tf.saved_model.load(str(path)).signatures["serving_default"]
    takes, gives = list(run.structured_input_signature[1].values()), list(run.structured_outputs.items())
    if len(takes) != 1 or len(gives) != 1:
        raise ValueError(f"takes {len(takes)} inputs and gives {len(gives)} answers, not one each")
    asked, (name, given) = takes[0], gives[0]
    kind = _number(asked.dtype.name)

    def answer(images: Any) -> Any:
        return run(**{asked.name: tf.constant(images.astype(kind))})[name].numpy()

    return asked.shape.as_list(), given.shape.as_list(), answer


def _check_computes(graph: Any) -> None:
    """See that a graph of a SavedModel computes and does nothing else.

    Raises:
        ValueError: it has an operation, or an object, that is not on the lists.
    """
    if not graph.object_graph_def.nodes:
        raise ValueError("was written by TensorFlow 1")
    for node in graph.object_graph_def.nodes:
        if (kind := node.WhichOneof("kind")) not in _OBJECTS:
            raise ValueError(f"holds an object that is not loaded ({kind})")
    for function in graph.graph_def.library.function:
        if function.signature.name.startswith(_SAVING):
            continue
        for node in function.node_def:
            if node.op not in _COMPUTING:
                raise ValueError(f"holds an operation that is not on the list of what is run ({node.op})")
            called = [part.func.name for part in node.attr.values() if part.HasField("func")]
            called += [one.name for part in node.attr.values() for one in part.list.func]
            if any(name.startswith(_SAVING) for name in called):
                raise ValueError("saves or restores variables as it computes")


OPENERS: dict[str, Callable[[Path], Opened]] = {
    "keras": keras,
    "litert": litert,
    "onnx": onnx,
    "savedmodel": savedmodel,
}


def _number(kind: str) -> str:
    """Return the kind of number that an input takes.

    Raises:
        ValueError: these are not pixels as they are.
    """
    kinds = {"float32": "float32", "uint8": "uint8", "tensor(float)": "float32", "tensor(uint8)": "uint8"}
    if kind not in kinds:
        raise ValueError(f"takes {kind}, not pixels from 0 to 255")
    return kinds[kind]


def _sides(shape: Any) -> list[int | None]:
    """Return the sides of a shape; what is open is -1 to one runtime, a name to another."""
    return [None if isinstance(side, str) or side is None or side < 0 else int(side) for side in shape]


def _answered(answer: Answer, job: dict[str, Any]) -> dict[str, Any]:
    """Answer to the images of a job, and take the time of single ones where it asks for that."""
    import numpy as np

    images = np.load(job["images"])
    size = job["batch"]
    np.save(job["answers"], np.concatenate([answer(images[at : at + size]) for at in range(0, len(images), size)]))
    times = []
    for number in range(_WARM_UP + job["calls"] if job["calls"] else 0):
        image = images[number % len(images)][None]
        begun = time.perf_counter()
        answer(image)
        times.append((time.perf_counter() - begun) * 1000)
    return {"milliseconds": times[_WARM_UP:]}


def main() -> None:
    """Do the jobs on the standard input: open a file, or answer to images by what was opened last."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what runtimes print is no answer
    answer: Answer | None = None
    for line in sys.stdin:
        job = json.loads(line)
        told: dict[str, Any] = {}
        try:
            if "open" in job:
                shape, given, answer = OPENERS[job["format"]](Path(job["open"]))
                told = {"takes": shape, "gives": given}
            elif answer is not None:
                told = _answered(answer, job)
        except Exception as error:  # noqa: BLE001  # runtimes raise anything
            text = " ".join(str(error).split()) or type(error).__name__
            told = {"wrong": text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"}
        answers.write(json.dumps(told) + "\n")
        answers.flush()


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        main()
