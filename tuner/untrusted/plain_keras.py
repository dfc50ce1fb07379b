"""What a description of a network may name: layers, operations and initializers that compute and do nothing else.

A list of what is known to be plain, since lists of what is not have proved incomplete time and again: functions of
Keras' own read, write and download files, and switch its safe mode off (CVE-2025-1550, CVE-2025-8747, CVE-2025-9906).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tuner.text import shortened

#: Networks are not nested more deeply.
DEEPEST = 200
#: The classes of networks, outermost and within others.
NETWORKS = ("Functional", "Sequential")

_LAYERS = """
    Activation ActivityRegularization AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D
    AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D Add AdditiveAttention AlphaDropout Attention AugMix
    AutoContrast Average AveragePooling1D AveragePooling2D AveragePooling3D BatchNormalization Bidirectional
    CategoryEncoding CenterCrop Concatenate Conv1D Conv1DTranspose Conv2D Conv2DTranspose Conv3D Conv3DTranspose
    ConvLSTM1D ConvLSTM2D ConvLSTM3D Cropping1D Cropping2D Cropping3D CutMix Dense DepthwiseConv1D DepthwiseConv2D
    Discretization Dot Dropout ELU EinsumDense Embedding Equalization Flatten GRU GRUCell GaussianDropout GaussianNoise
    GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D GlobalMaxPooling1D GlobalMaxPooling2D
    GlobalMaxPooling3D GroupNormalization GroupQueryAttention Identity InputLayer LSTM LSTMCell LayerNormalization
    LeakyReLU Masking MaxPooling1D MaxPooling2D MaxPooling3D Maximum Minimum MixUp MultiHeadAttention Multiply
    Normalization PReLU Permute Pipeline RMSNormalization RNN RandAugment RandomBrightness RandomColorDegeneration
    RandomColorJitter RandomContrast RandomCrop RandomElasticTransform RandomErasing RandomFlip RandomGaussianBlur
    RandomGrayscale RandomHue RandomInvert RandomPerspective RandomPosterization RandomRotation RandomSaturation
    RandomSharpness RandomShear RandomTranslation RandomZoom ReLU RepeatVector Rescaling Reshape Resizing
    SeparableConv1D SeparableConv2D SimpleRNN SimpleRNNCell Softmax Solarization SpatialDropout1D SpatialDropout2D
    SpatialDropout3D SpectralNormalization StackedRNNCells Subtract TimeDistributed UnitNormalization UpSampling1D
    UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D ZeroPadding3D
"""
_INITIALIZERS = """
    Constant GlorotNormal GlorotUniform HeNormal HeUniform Identity IdentityInitializer LecunNormal LecunUniform Ones
    Orthogonal OrthogonalInitializer RandomNormal RandomUniform TruncatedNormal VarianceScaling Zeros
"""
_ACTIVATIONS = """
    celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu linear log_sigmoid
    log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign sparse_plus sparse_sigmoid
    sparsemax squareplus swish tanh tanh_shrink threshold
"""
_PLAIN: dict[str, frozenset[str]] = {
    "keras": frozenset(("DTypePolicy", "Functional", "Sequential")),
    "keras.models": frozenset(("Functional", "Sequential")),
    "keras.src.applications.convnext": frozenset(("LayerScale",)),
    "keras.src.models.functional": frozenset(("Functional",)),
    "keras.dtype_policies": frozenset(("DTypePolicy", "DTypePolicyMap", "FloatDTypePolicy")),
    "keras.layers": frozenset(_LAYERS.split()),
    "keras.initializers": frozenset(_INITIALIZERS.split()),
    "keras.regularizers": frozenset(("L1", "L1L2", "L2", "OrthogonalRegularizer")),
    "keras.constraints": frozenset(("MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm")),
}
#: Modules of Keras in which every class is an operation on tensors; such that take a function find none on the list.
_OPERATIONS = tuple(f"keras.src.ops.{name}" for name in ("core", "image", "linalg", "math", "nn", "numpy"))
_FUNCTIONS, _WHERE_FUNCTIONS_ARE = frozenset(_ACTIVATIONS.split()), (None, "builtins", "keras.activations")
#: What stands for a value that JSON does not have.
_VALUES = frozenset(("__keras_tensor__", "__tensor__", "__numpy__", "__slice__", "__ellipsis__"))
_ACTIVE = ("Lambda", "TorchModuleWrapper", "TFSMLayer", "JaxLayer", "FlaxLayer")
_READING = ("StringLookup", "IntegerLookup", "TextVectorization", "IndexLookup", "FeatureSpace")


def problems(config: dict[str, Any]) -> Iterator[str]:
    """Yield what a configuration names that is not on the list of what is plain.

    How the outermost network was compiled is not looked at: it is not loaded.
    """
    waiting: list[tuple[object, int]] = [({k: v for k, v in config.items() if k != "compile_config"}, 0)]
    while waiting:
        node, depth = waiting.pop()
        if depth > DEEPEST:
            yield f"describes a network that is nested more than {DEEPEST} levels deep"
            return
        if isinstance(node, dict):
            if "class_name" in node and not _is_plain(node):
                yield f"carries {_described(node)}"
            waiting += [(value, depth + 1) for value in node.values()]
        elif isinstance(node, list):
            waiting += [(value, depth + 1) for value in node if isinstance(value, dict | list)]


def _is_plain(node: dict[str, Any]) -> bool:
    name, module, registered = node["class_name"], node.get("module"), node.get("registered_name")
    if not isinstance(name, str) or not isinstance(module, str | None):
        return False
    if name == "function":
        called = node.get("config")
        known = isinstance(called, str) and called in _FUNCTIONS and module in _WHERE_FUNCTIONS_ARE
        return known and registered in (None, called, name)
    if registered not in (None, name):  # something of this name might be registered in this process
        return False
    if module is None:
        return name in _VALUES
    return name in _PLAIN.get(module, ()) or (module in _OPERATIONS and name.isidentifier())


def _described(node: dict[str, Any]) -> str:
    """Return in words what a configuration names."""
    name, module, registered, called = (node.get(k) for k in ("class_name", "module", "registered_name", "config"))
    if name in ("Lambda", "__lambda__"):
        return "code (a Lambda layer)"
    if name == "function":
        return f"the function {shortened(f'{module}.{called}', 80)}"
    if str(module).split(".")[0] == "keras" and registered in (None, name):
        if name in _ACTIVE:
            return f"code (a layer {name})"
        if name in _READING:
            return f"a layer {name}, which may read other files"
        return shortened(f"{module}.{name}, which is not on the list of what is loaded", 120)
    own = registered if isinstance(registered, str) and ">" in registered else f"{module or '?'}>{name}"
    return f"a layer or function of its author's own, {shortened(own, 80)}"
