"""Saved models that leave the house: converted to other formats, scored again by what runs these, and read again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tuner.errors import InputError
from tuner.system.extras import needs

Quantize = Literal["float", "int8"]


@dataclass(frozen=True)
class Format:
    """A format of models.

    Args:
        name: how it is asked for.
        label: how sentences call it.
        suffix: what names of its files, or folders, end in.
        quantizes: whether there is one of whole numbers in 8 bits.
        extra: the extra that brings what converts and runs it; empty where nothing is needed beside TensorFlow.
        converts: modules that convert to it.
        runs: modules that run it.
    """

    name: str
    label: str
    suffix: str
    quantizes: bool = True
    extra: str = ""
    converts: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()

    def check_converts(self) -> None:
        """See that what converts to the format, and runs it, is installed.

        Raises:
            InputError: it is not.
        """
        needs("--to", f"what converts to {self.label}", self.extra, *self.converts)

    def check_runs(self, path: Path) -> None:
        """See that what runs a file of the format is installed.

        Raises:
            InputError: it is not.
        """
        needs(str(path), f"what runs {self.label}", self.extra, *self.runs)

    def check_quantizes(self, quantize: Quantize) -> None:
        """See that the format has numbers of this kind.

        Raises:
            InputError: it has not.
        """
        if quantize == "int8" and not self.quantizes:
            others = " or ".join(one.name for one in FORMATS.values() if one.quantizes)
            raise InputError(
                "--quantize", f"{self.label} is not quantized", f"export to {others}, or leave it at float"
            )


#: The formats by name, each with a function of its name in `converting.py` and in `running.py`.
FORMATS: dict[str, Format] = {
    one.name: one
    for one in (
        Format("litert", "LiteRT", ".tflite"),
        Format(
            "onnx",
            "ONNX",
            ".onnx",
            extra="onnx",
            converts=("onnx", "tf2onnx", "onnxruntime"),
            runs=("onnx", "onnxruntime"),
        ),
        Format("savedmodel", "SavedModel", ".savedmodel", quantizes=False),
    )
}


def format_of(path: Path) -> Format | None:
    """Return the format of an exported model by its name, or by what lies in its folder; None for any other path."""
    if path.is_dir() and (path / "saved_model.pb").exists():
        return FORMATS["savedmodel"]
    return next((one for one in FORMATS.values() if one.suffix == path.suffix), None)
