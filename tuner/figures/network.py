"""Draws a network as rows of blocks, with shortcuts as arcs above them.

One unit of the axes is one inch, so that the space that a text needs is known before it is drawn.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from math import log2, sqrt
from typing import Any

from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, PathPatch, Polygon, Rectangle
from matplotlib.path import Path
from matplotlib.textpath import TextPath

from tuner.analysis.network_blocks import Arc, Block, Box, Plan, shape_text
from tuner.figures.style import COLOURS, new_figure

#: The kinds of blocks in the order of the legend, with their colours.
KINDS = {
    "image": "#C9C9C9",
    "convolution": COLOURS[0],
    "pooling": COLOURS[2],
    "dense": COLOURS[5],
    "merge": COLOURS[3],
    "other": "#8C8C8C",
    "output": COLOURS[1],
}
#: What is written into the circle of a merge.
_SIGNS = {"add": "+", "subtract": "−", "multiply": "×", "concatenate": "∪"}
#: Merges whose output has the shape of their inputs, so that it need not be written again.
_SAME = ("add", "subtract", "multiply", "average", "maximum", "minimum")

_WIDTH, _MARGIN = 9.0, 0.28  # nine inches are shown about 900 pixels wide, a point of text then is 1.4 pixels
_TALLEST, _LINE = 1.25, 0.145
_TEXT, _SMALL = 8.0, 7.5
_GAP, _MOST_EXTRA = 0.17, 0.34  # between two blocks, and how much wider a row with room makes it; twice if alone
_DOT, _BOX = 0.16, 0.12  # what a beginning shortcut and the edge of a box add to a gap
_MOST_BLOCKS = 80
_INK, _PALE = "#222222", "#5A5A5A"


def draw_network(plan: Plan, title: str) -> Figure:
    """Draw a network; very long ones without their middle."""
    plan = _without_middle(plan)
    columns = _columns(plan)
    title = _cut(title, 90)
    rows, y = [], _heading_height(title, plan) + 0.1
    for first, end in _breaks(plan, columns):
        row = _Row(plan, columns, first, end)
        rows.append(row)
        row.axis = y + row.above
        y = row.axis + row.below + 0.3
    figure = new_figure(_WIDTH, y - 0.2)
    figure.set_layout_engine("none")  # the axes fill the figure
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, _WIDTH)
    axes.set_ylim(y - 0.2, 0)  # downwards, as one reads
    axes.add_patch(Rectangle((0, 0), _WIDTH, y - 0.2, color="white", zorder=0))
    _draw_heading(axes, title, plan)
    for row in rows:
        row.draw(axes)
    for upper, lower in pairwise(rows):
        between = upper.axis + upper.below + 0.1
        start, left = (upper.right[-1] + 0.03, upper.axis), 0.1
        points = [start, (_WIDTH - 0.06, upper.axis), (_WIDTH - 0.06, between), (left, between), (left, lower.axis)]
        _line(axes, [*points, (lower.left[0] - 0.02, lower.axis)], _PALE)
    return figure


def _without_middle(plan: Plan) -> Plan:
    hidden = len(plan.blocks) - _MOST_BLOCKS
    if hidden <= 0:
        return plan
    start, end = _MOST_BLOCKS - 10, _MOST_BLOCKS - 10 + hidden
    blocks = (*plan.blocks[:start], Block("other", f"… {hidden} more"), *plan.blocks[end:])
    moved = {i: i for i in range(start)} | {i: i - hidden + 1 for i in range(end, len(plan.blocks))}
    arcs = [replace(a, begin=moved[a.begin], end=moved[a.end]) for a in plan.arcs if {a.begin, a.end} <= set(moved)]
    boxes = [Box(moved[b.first], moved[b.last], b.times) for b in plan.boxes if {b.first, b.last} <= set(moved)]
    return Plan(blocks, tuple(arcs), tuple(boxes))


@dataclass(frozen=True)
class _Column:
    """The room of a block: the body's width, height and depth, the lines below it, what stands free on both sides."""

    body: tuple[float, float, float]
    lines: tuple[tuple[str, float, str], ...]
    before: float
    after: float

    @property
    def width(self) -> float:
        return max(self.body[0] + self.body[2], *(_text_width(text, size) for text, size, _ in self.lines))


def _columns(plan: Plan) -> list[_Column]:
    largest = max((size or 1 for block in plan.blocks for size in block.shape[:-1]), default=1)
    begins = {arc.begin + 1 for arc in plan.arcs}
    firsts, lasts = {box.first for box in plan.boxes}, {box.last for box in plan.boxes}
    columns = []
    for index, block in enumerate(plan.blocks):
        lines = [(_cut(block.title, 40), _TEXT, _INK)]
        shape = shape_text(block.shape)
        if shape and block.title not in _SAME and not block.title.endswith(f" {shape}"):
            lines.append((shape, _TEXT, _PALE))
        stride = [note for note in block.notes if note.startswith("stride")]
        others = ", ".join(note for note in block.notes if note not in stride)
        notes = stride + textwrap.wrap(others, max(14, min(40, len(block.title))))
        lines += [(note, _SMALL, _PALE) for note in notes]
        before = _GAP + _DOT * (index in begins) + _BOX * (index in firsts)
        columns.append(_Column(_body(block, largest), tuple(lines), before, _BOX * (index in lasts)))
    return columns


def _body(block: Block, largest: int) -> tuple[float, float, float]:
    """Return a block's width by its channels, its height and its depth by its places; both compressed."""
    if block.kind == "merge":
        return 0.26, 0.26, 0.0
    sizes = [size or 1 for size in block.shape]
    if not sizes:
        return 0.3, 0.6, 0.0
    if len(sizes) == 1:
        return 0.13, min(_TALLEST, 0.3 + 0.1 * log2(sizes[0])), 0.0
    height = _TALLEST * max(0.15, sqrt(sizes[0] / largest))
    depth = 0.2 * _TALLEST * max(0.15, sqrt(sizes[1] / largest)) if len(sizes) > 2 else 0.0
    return 0.06 + 0.05 * log2(sizes[-1]), height, depth


def _breaks(plan: Plan, columns: list[_Column]) -> list[tuple[int, int]]:
    """Return where each row begins and ends: as few rows as can be, evenly filled, cuts through shortcuts avoided."""
    room, count = _WIDTH - 2 * _MARGIN, len(columns)
    cut = [0.0] * (count + 1)
    for first, last in [(a.begin + 1, a.end) for a in plan.arcs] + [(b.first, b.last) for b in plan.boxes]:
        for index in range(first + 1, last + 1):
            cut[index] += 3 * room**2  # dearer than two rows more
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, count + 1):
        ways, width = [], 0.0
        for start in range(end - 1, -1, -1):
            width += columns[start].before + columns[start].width + columns[start].after
            if width > room and start < end - 1:
                break
            ways.append((best[start][0] + room**2 + (room - width) ** 2 + cut[start], start))
        best.append(min(ways))
    rows, end = [], count
    while end:
        rows.append((best[end][1], end))
        end = best[end][1]
    return rows[::-1]


class _Row:
    """A row of blocks; heights in it are counted downwards from its axis, the line that the blocks stand on."""

    def __init__(self, plan: Plan, columns: list[_Column], first: int, end: int) -> None:
        self.plan, self.first, self.blocks = plan, first, plan.blocks[first:end]
        self.columns = columns[first:end]
        self.axis = 0.0
        free = _WIDTH - 2 * _MARGIN - sum(c.before + c.width + c.after for c in self.columns)
        alone = len(self.columns) == len(columns)
        extra = min(_MOST_EXTRA * (2 if alone else 1), max(0.0, free) / len(self.columns))
        x = _MARGIN + (max(0.0, free - extra * len(self.columns)) / 2 if alone else 0.0)
        self.left, self.right, self.middle, self.dots = [], [], [], []
        for column in self.columns:
            self.dots.append(x + extra / 2 + column.before - 0.14)
            x += extra + column.before
            self.middle.append(x + column.width / 2)
            self.left.append(self.middle[-1] - (column.body[0] + column.body[2]) / 2)
            self.right.append(self.middle[-1] + (column.body[0] + column.body[2]) / 2)
            x += column.width + column.after
        self.end = x
        self.text_top = max(self._reach(i) for i in range(len(self.columns))) + 0.09
        self.arcs = self._arcs()
        self.boxes = [box for box in plan.boxes if box.first < end and box.last >= first]
        tops = [-self._reach(i) for i in range(len(self.columns))]
        self.above = -min([*tops, *(top - _LINE * lines for *_, top, lines in self.arcs)])
        self.above += 0.2 if self.boxes else 0.06
        self.below = self.text_top + _LINE * max(len(c.lines) for c in self.columns) + (0.1 if self.boxes else 0.0)

    def _reach(self, index: int) -> float:
        _, height, depth = self.columns[index].body
        return (height + depth) / 2

    def _arcs(self) -> list[tuple[Arc, float, float, str, float, int]]:
        """Return the shortcuts of this row with both ends, the wrapped label, the height and the label's lines."""
        placed: list[tuple[Arc, float, float, str, float, int]] = []
        last = self.first + len(self.columns) - 1
        for arc in sorted(self.plan.arcs, key=lambda a: (a.end - a.begin, a.begin)):
            if arc.end < self.first or arc.begin + 1 > last:
                continue
            begins, ends = arc.begin + 1 >= self.first, arc.end <= last
            i, j = max(arc.begin + 1 - self.first, 0), min(arc.end - self.first, last - self.first)
            x0 = self.dots[i] if begins else 0.02
            x1 = self.middle[j] if ends else _WIDTH - 0.14
            top = -max(self._reach(k) for k in range(i, j + 1)) - 0.14
            for _, other0, other1, _, height, lines in placed:
                if x0 < other1 + 0.05 and other0 < x1 + 0.05:
                    top = min(top, height - _LINE * lines - 0.12)
            label = _wrapped(arc.label, x1 - x0 - 0.1) if begins else ""
            placed.append((arc, x0, x1, label, top, label.count("\n") + 1 if label else 0))
        return placed

    def draw(self, axes: Axes) -> None:
        """Draw the row at its place."""
        for box in self.boxes:
            self._draw_box(axes, box)
        for left, right in zip(self.right, self.left[1:], strict=False):
            _line(axes, [(left + 0.03, self.axis), (right - 0.02, self.axis)], _PALE)
        for arc, x0, x1, label, top, _ in self.arcs:
            self._draw_arc(axes, arc, (x0, x1, self.axis + top), label)
        for index, (block, column) in enumerate(zip(self.blocks, self.columns, strict=True)):
            _draw_body(axes, block, column.body, self.left[index], self.axis)
            for line, (text, size, ink) in enumerate(column.lines):
                y = self.axis + self.text_top + line * _LINE
                axes.text(self.middle[index], y, text, fontsize=size, color=ink, ha="center", va="top")

    def _draw_arc(self, axes: Axes, arc: Arc, place: tuple[float, float, float], label: str) -> None:
        x0, x1, y = place
        ink = _shaded(KINDS["merge"], -0.25)
        points = [(x0, y), (x1, y)]
        if arc.begin + 1 >= self.first:
            points.insert(0, (x0, self.axis))
            axes.add_patch(Circle((x0, self.axis), 0.028, color=ink, zorder=5))
        ends = arc.end < self.first + len(self.columns)
        if ends:
            body = self.columns[arc.end - self.first].body
            points.append((x1, self.axis - (body[1] + body[2]) / 2 - 0.02))
        _line(axes, points, ink, head=ends)
        axes.text((x0 + x1) / 2, y - 0.035, label, fontsize=_SMALL, color=_INK, ha="center", va="bottom")

    def _draw_box(self, axes: Axes, box: Box) -> None:
        i, j = max(box.first - self.first, 0), min(box.last - self.first, len(self.columns) - 1)
        inside = [top - _LINE * lines for arc, *_, top, lines in self.arcs if box.first <= arc.end <= box.last]
        top = self.axis + min([*inside, *(-self._reach(k) for k in range(i, j + 1))]) - 0.12
        dots = [self.dots[i] - 0.09] if any(arc.begin + 1 == box.first for arc, *_ in self.arcs) else []
        left = min([*dots, self.middle[i] - self.columns[i].width / 2 - 0.1])
        right = self.middle[j] + self.columns[j].width / 2 + 0.1
        bottom = self.axis + self.text_top + _LINE * max(len(c.lines) for c in self.columns[i : j + 1]) + 0.05
        style: dict[str, Any] = {"boxstyle": "round,pad=0,rounding_size=0.08", "linewidth": 0.9, "zorder": 0.5}
        corner, size = (left, top), (right - left, bottom - top)
        axes.add_patch(FancyBboxPatch(corner, *size, facecolor="#F4F4F4", edgecolor="#9A9A9A", **style))
        badge = {"boxstyle": "round,pad=0.25", "facecolor": "#444444", "edgecolor": "none"}
        text: dict[str, Any] = {"fontsize": 9, "color": "white", "fontweight": "bold", "bbox": badge, "zorder": 6}
        axes.text(right - 0.24, top, f"× {box.times}", ha="center", va="center", **text)


def _draw_body(axes: Axes, block: Block, body: tuple[float, float, float], x: float, axis: float) -> None:
    width, height, depth = body
    paint = KINDS[block.kind]
    top = axis - (height + depth) / 2 + depth
    edge: dict[str, Any] = {"edgecolor": "white", "linewidth": 0.7, "zorder": 4, "joinstyle": "round"}
    if block.kind == "merge":
        axes.add_patch(Circle((x + width / 2, axis), width / 2, color=paint, zorder=4))
        sign: dict[str, Any] = {"ha": "center", "va": "center_baseline", "color": "white", "fontweight": "bold"}
        axes.text(x + width / 2, axis, _SIGNS.get(block.title, "•"), fontsize=12, zorder=5, **sign)
        return
    axes.add_patch(Rectangle((x, top), width, height, facecolor=paint, **edge))
    if depth:
        lid = [(x, top), (x + depth, top - depth), (x + width + depth, top - depth), (x + width, top)]
        side = [lid[3], lid[2], (lid[2][0], lid[2][1] + height), (x + width, top + height)]
        axes.add_patch(Polygon(lid, facecolor=_shaded(paint, 0.35), **edge))
        axes.add_patch(Polygon(side, facecolor=_shaded(paint, -0.22), **edge))


def _legend(plan: Plan) -> list[str]:
    return [kind for kind in KINDS if any(block.kind == kind for block in plan.blocks)]


def _legend_width(plan: Plan) -> float:
    return sum(_text_width(kind, _TEXT) + 0.36 for kind in _legend(plan))


def _heading_height(title: str, plan: Plan) -> float:
    return 0.3 if _text_width(title, 11) * 1.15 + _legend_width(plan) + 0.3 < _WIDTH else 0.55


def _draw_heading(axes: Axes, title: str, plan: Plan) -> None:
    height = _heading_height(title, plan)
    axes.text(0.05, 0.16, title, fontsize=11, fontweight="bold", va="center", color=_INK)
    x = _WIDTH - _legend_width(plan) if height < 0.5 else 0.05
    for kind in _legend(plan):
        axes.add_patch(Rectangle((x, height - 0.2), 0.12, 0.12, color=KINDS[kind]))
        axes.text(x + 0.17, height - 0.14, kind, fontsize=_TEXT, va="center_baseline", color=_INK)
        x += _text_width(kind, _TEXT) + 0.36


def _line(axes: Axes, points: list[tuple[float, float]], ink: Any, head: bool = True) -> None:
    """Draw a line with round corners and, where asked for, an arrow's head."""
    vertices, codes = [points[0]], [Path.MOVETO]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        vertices += [_towards(corner, before), corner, _towards(corner, after)]
        codes += [Path.LINETO, Path.CURVE3, Path.CURVE3]
    path = Path([*vertices, points[-1]], [*codes, Path.LINETO])
    style: dict[str, Any] = {"linewidth": 1.1, "zorder": 3, "capstyle": "round"}
    if head:
        axes.add_patch(FancyArrowPatch(path=path, arrowstyle="-|>", mutation_scale=7, color=ink, **style))
    else:
        axes.add_patch(PathPatch(path, facecolor="none", edgecolor=ink, **style))


def _towards(corner: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    length = abs(other[0] - corner[0]) + abs(other[1] - corner[1])  # lines run along the axes
    share = min(0.5, 0.08 / length) if length else 0.0
    return corner[0] + (other[0] - corner[0]) * share, corner[1] + (other[1] - corner[1]) * share


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _wrapped(text: str, room: float) -> str:
    return "\n".join(textwrap.wrap(text, max(10, int(room / _text_width("n", _SMALL))))) if text else ""


def _shaded(paint: str, amount: float) -> tuple[float, ...]:
    """Return a colour mixed with white (`amount` above 0) or black (below)."""
    return tuple(c + (1 - c) * amount if amount > 0 else c * (1 + amount) for c in to_rgb(paint))


@lru_cache(maxsize=4096)  # of words and numbers, which drawings repeat
def _text_width(text: str, size: float) -> float:
    """Return a text's width in inches, found without drawing it."""
    if not text.strip():
        return 0.0
    return float(TextPath((0, 0), text, size=size, prop=FontProperties(family="DejaVu Sans")).get_extents().x1) / 72
