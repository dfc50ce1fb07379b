"""A network as blocks in a row, with shortcuts and repetitions: what is drawn of it and listed.

Made from the list of layers that `tuner.worker.model_summary` records, without Keras.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

#: A repeated unit has at most so many blocks; without a merge in it, it is collapsed only from so many times on.
_LONGEST_UNIT, _PLAIN_TIMES = 16, 4

_MERGES = ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot")
#: Layers that need no block of their own, and what is noted of them at the block before.
_FOLDED = {
    "InputLayer": "",
    "Rescaling": "",
    "Normalization": "",
    "Flatten": "flatten",
    "ZeroPadding2D": "zero padding",
    "Dropout": "dropout",
    "SpatialDropout2D": "dropout",
    "BatchNormalization": "BN",
    "LayerNormalization": "LN",
    "GroupNormalization": "GN",
    "ReLU": "ReLU",
    "LeakyReLU": "leaky ReLU",
    "PReLU": "PReLU",
    "ELU": "ELU",
    "Softmax": "softmax",
}
_ACTIVATIONS = {"relu": "ReLU", "leaky_relu": "leaky ReLU", "elu": "ELU", "gelu": "GELU", "silu": "SiLU"}


@dataclass(frozen=True)
class Layer:
    """A layer as `tuner.worker.model_summary` describes it; `before` is the shape of what comes in."""

    name: str
    kind: str
    shape: tuple[int | None, ...]
    parameters: int
    formula: str
    activation: str
    before: tuple[int | None, ...]

    @property
    def look(self) -> Hashable:
        """What two layers share that differ only in their names."""
        return replace(self, name="")


@dataclass(frozen=True)
class Block:
    """A block: its kind, what it is, what is folded into it, its output's shape, and its layers for the table."""

    kind: str
    title: str
    notes: tuple[str, ...] = ()
    shape: tuple[int | None, ...] = ()
    layers: tuple[Layer, ...] = ()
    times: int = 1


@dataclass(frozen=True)
class Arc:
    """A shortcut from the output of block `begin` into block `end`, with the layers on it."""

    begin: int
    end: int
    label: str = ""
    layers: tuple[Layer, ...] = ()


@dataclass(frozen=True)
class Box:
    """Blocks `first` to `last` stand for `times` times themselves."""

    first: int
    last: int
    times: int


@dataclass(frozen=True)
class Plan:
    """What is drawn of a network."""

    blocks: tuple[Block, ...]
    arcs: tuple[Arc, ...] = ()
    boxes: tuple[Box, ...] = ()


def shape_text(shape: Sequence[int | None]) -> str:
    """Return a shape as it is written: 14×14×64."""
    return "×".join("?" if size is None else f"{size:,}" if len(shape) == 1 else str(size) for size in shape)


def plan_of(layers: Sequence[dict[str, Any]]) -> Plan:
    """Return what is drawn of a network: its longest path as blocks, all else as shortcuts, repetitions once."""
    read, comes_from = _read(layers)
    path, before = _longest_path(read, comes_from)
    blocks: list[Block] = []
    block_of = {}
    for index in path:
        several = len(set(comes_from[index])) > 1
        folds = read[index].kind in (*_FOLDED, "Activation") and not several and blocks
        if folds:
            blocks[-1] = _with(blocks[-1], read[index])
        else:
            blocks.append(_block(read[index]))
        block_of[index] = len(blocks) - 1
    arcs, passed = [], set(path)
    for index in path:
        for source in dict.fromkeys(comes_from[index]):
            if source != before[index]:
                way = []
                while source not in block_of:
                    way.append(source)
                    source = before[source]  # noqa: PLW2901 - walks back to the path
                passed.update(way)
                found = tuple(read[i] for i in reversed(way))
                arc = Arc(block_of[source], block_of[index], _arc_label(found), found)
                if found or arc.end - arc.begin > 1:
                    arcs.append(arc)
    blocks[-1] = _as_output(blocks[-1])
    rest = tuple(layer for index, layer in enumerate(read) if index not in passed)
    if rest:  # not drawn, but counted
        blocks[-1] = replace(blocks[-1], layers=(*rest, *blocks[-1].layers))
    return _condensed(Plan(tuple(blocks), tuple(arcs)))


def identity(layers: Sequence[dict[str, Any]]) -> Hashable:
    """Return what makes a network, whatever its layers are called."""
    read, comes_from = _read(layers)
    return tuple(layer.look for layer in read), tuple(map(tuple, comes_from))


def _read(layers: Sequence[dict[str, Any]]) -> tuple[list[Layer], list[list[int]]]:
    """Return the layers, and for each the places of those that feed it; one unknown is taken to be the layer before.

    Unknown are the inputs of layers that are used several times, of nested and of subclassed models.
    """
    read: list[Layer] = []
    comes_from: list[list[int]] = []
    places: dict[str, int] = {}
    for index, layer in enumerate(layers):
        names = layer.get("inputs") or [""]
        sources = [places.setdefault(name, index - 1) if name else index - 1 for name in names] if index else []
        comes_from.append(sources)
        shape = tuple(size if isinstance(size, int) else None for size in layer.get("shape") or ())
        read.append(
            Layer(
                str(layer.get("name", "")),
                str(layer.get("kind", "")),
                shape,
                int(layer.get("parameters") or 0),
                str(layer.get("formula") or ""),
                str(layer.get("activation") or ""),
                read[sources[0]].shape if sources else (),
            )
        )
        places[read[-1].name] = index
    return read, comes_from


def _longest_path(read: list[Layer], comes_from: list[list[int]]) -> tuple[list[int], list[int]]:
    """Return the way from the input to the last layer with the most weighted layers, and the best source of each."""
    length: list[tuple[int, int]] = []
    before = []
    for layer, sources in zip(read, comes_from, strict=True):
        best = max(sources, key=lambda source: length[source]) if sources else -1
        weighted, all_layers = length[best] if sources else (0, 0)
        length.append((weighted + bool(layer.formula), all_layers + 1))
        before.append(best)
    path = [len(read) - 1]
    while before[path[-1]] >= 0:
        path.append(before[path[-1]])
    return path[::-1], before


def _block(layer: Layer) -> Block:
    kind, title = _title(layer)
    stride = _stride(layer)
    notes = ((f"stride {stride}",) if stride > 1 else ()) + _activation(layer)
    return Block(kind, title, notes, layer.shape, (layer,))


def _title(layer: Layer) -> tuple[str, str]:
    """Return the kind of block that a layer is, and what is written below it."""
    if layer.kind == "InputLayer":
        return "image", "image" if len(layer.shape) == 3 else "input"
    if "Conv" in layer.kind:
        words = {"Depthwise": "depthwise conv", "Separable": "separable conv", "Transpose": "transposed conv"}
        name = next((words[word] for word in words if word in layer.kind), "conv")
        kernel = shape_text(_kernel(layer))
        filters = f", {'?' if layer.shape[-1] is None else layer.shape[-1]}" if layer.shape else ""
        return "convolution", f"{name} {kernel}".rstrip() + filters
    if "Pool" in layer.kind:
        name = "max" if "Max" in layer.kind else "average"
        factor = _factor(layer)
        ending = f" ÷{factor}" if factor > 1 else ""
        return "pooling", f"global {name}" if "Global" in layer.kind else f"{name} pool{ending}"
    if layer.kind == "Dense":
        return "dense", f"dense {shape_text(layer.shape[-1:])}".rstrip()
    return ("merge", layer.kind.lower()) if layer.kind in _MERGES else ("other", layer.kind or "?")


def _kernel(layer: Layer) -> tuple[int, ...]:
    factors = re.fullmatch(r"(\d+(?:·\d+)*)(?: \+ \d+)?", layer.formula)
    sizes = [int(size) for size in factors[1].split("·")] if factors else []
    return tuple(sizes[:-2]) if len(sizes) == len(layer.shape) + 1 else ()


def _sides(layer: Layer) -> tuple[int, int] | None:
    """Return the height that comes in and that goes out, where both are known."""
    before, after = (layer.before or (None,))[0], (layer.shape or (None,))[0]
    known = before and after and len(layer.before) == len(layer.shape) > 1
    return (before, after) if known and before and after else None


def _factor(layer: Layer) -> int:
    """Return how many times smaller the output of a pool is; its window is not recorded."""
    before, after = _sides(layer) or (1, 1)
    if before <= after:
        return 1
    return 2 if after in (before // 2, (before + 1) // 2) else round(before / after)


def _stride(layer: Layer) -> int:
    """Return a convolution's stride, as far as the shapes show it: 1 where padding alone explains the output."""
    sides, kernel = _sides(layer), _kernel(layer)
    if not sides or not kernel:
        return 1
    before, after = sides
    fits = (step for step in range(1, 33) if after in (-(-before // step), (before - kernel[0]) // step + 1))
    return next(fits, 1)


def _activation(layer: Layer) -> tuple[str, ...]:
    return (_ACTIVATIONS.get(layer.activation, layer.activation),) if layer.activation else ()


def _with(block: Block, layer: Layer) -> Block:
    """Return a block with a layer folded into it."""
    note = _FOLDED.get(layer.kind, "")
    notes = (*block.notes, *((note,) if note else ()), *_activation(layer))
    return replace(block, notes=notes, layers=(*block.layers, layer))


def _as_output(block: Block) -> Block:
    """Return the last block as the output, "softmax 10"."""
    if block.kind in ("image", "merge"):
        return block
    title = block.title
    if block.kind == "dense" and block.notes:
        title = f"{block.notes[-1]} {shape_text(block.shape)}"
    return replace(block, kind="output", title=title, notes=block.notes[:-1] if title != block.title else block.notes)


def _arc_label(layers: Sequence[Layer]) -> str:
    """Return what is written on a shortcut: the layers on it that do something by themselves."""
    words = []
    for layer in layers:
        if layer.kind == "ZeroPadding2D":
            words.append(_FOLDED[layer.kind])
        elif layer.kind not in (*_FOLDED, "Activation", "Permute"):
            stride = _stride(layer)
            words.append(_title(layer)[1] + (f", stride {stride}" if stride > 1 else ""))
    return "; ".join(words) if len(words) < 4 else f"{len(layers)} layers"


def _condensed(plan: Plan) -> Plan:
    """Return the plan with units that repeat drawn once."""
    marks: list[Hashable] = []
    for index, block in enumerate(plan.blocks):
        into = [(a.begin - a.end, a.label, *(x.look for x in a.layers)) for a in plan.arcs if a.end == index]
        marks.append((block.title, block.notes, block.shape, *(layer.look for layer in block.layers), *into))
    ends = [block.kind == "merge" for block in plan.blocks]
    units = {first: (length, times) for first, length, times in _repeats(marks, ends)}
    blocks: list[Block] = []
    boxes = []
    place: dict[int, int] = {}  # of each block, where it is drawn
    kept: set[int] = set()
    index = 0
    while index < len(plan.blocks):
        length, times = units.get(index, (1, 1))
        place |= {index + i: len(blocks) + i % length for i in range(length * times)}
        kept.update(range(index, index + length))
        blocks += [replace(block, times=times) for block in plan.blocks[index : index + length]]
        if times > 1:
            boxes.append(Box(len(blocks) - length, len(blocks) - 1, times))
        index += length * times
    arcs = [replace(arc, begin=place[arc.begin], end=place[arc.end]) for arc in plan.arcs if arc.end in kept]
    return Plan(tuple(blocks), tuple(arcs), tuple(boxes))


def _repeats(marks: Sequence[Hashable], ends: Sequence[bool]) -> list[tuple[int, int, int]]:
    """Return where units repeat at once: first block, length, times; those first that hide the most blocks."""
    left = list(marks)
    found = []
    while runs := list(_runs(left, ends)):
        first, length, times = max(
            runs, key=lambda run: (run[1] * (run[2] - 1), ends[run[0] + run[1] - 1], -run[1], -run[0])
        )
        found.append((first, length, times))
        for index in range(first, first + length * times):
            left[index] = object()  # equals nothing else
    return found


def _runs(marks: Sequence[Hashable], ends: Sequence[bool]) -> Iterator[tuple[int, int, int]]:
    for length in range(1, min(_LONGEST_UNIT, len(marks) // 2) + 1):
        equal = 0
        for first in reversed(range(len(marks) - length)):
            equal = equal + 1 if marks[first] == marks[first + length] else 0
            times = equal // length + 1
            if times >= (2 if any(ends[first : first + length]) else _PLAIN_TIMES):
                yield first, length, times
