"""What is drawn and listed of a network: its blocks, shortcuts and repetitions, and tables whose sums are right."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from written import figures_of, pictures_of, words

from tuner.analysis.findings import Chosen, Findings
from tuner.analysis.network_blocks import Arc, Plan, plan_of
from tuner.contents.png import png
from tuner.contents.sections import Folded, Section
from tuner.families import FAMILIES
from tuner.figures.network import draw_network
from tuner.figures.style import report_style
from tuner.recipe import RECIPE
from tuner.report.markdown import to_markdown
from tuner.report.network import layer_table, network_section
from tuner.space.space import read_space
from tuner.trial import Record, Result
from tuner.worker.model_summary import describe

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "ann": ("ann", {"dense_depth": 2}),
    "softmax": ("ann", {"dense_depth": 0}),
    "cnn": ("cnn", {"conv_depth": 3, "batch_norm": True}),
    "lenet": ("lenet", {}),
    "alexnet": ("alexnet", {}),
    "resnet": ("resnet", {"batch_norm": True}),
    "plain": ("resnet", {"shortcut": False}),
    "identity": ("resnet_cifar", {"depth": 20}),
    "projection": ("resnet_cifar", {"depth": 20, "shortcut": "projection"}),
    "deep": ("resnet_cifar", {"depth": 56, "shortcut": "none"}),
}


@cache
def layers_of(case: str) -> list[dict[str, Any]]:
    name, fixed = CASES[case]
    family = FAMILIES[name]
    (values,) = read_space(fixed, {}, [*family.parameters, *RECIPE], {}).grid()
    return describe(family.network(values, (32, 32, 3), 10))


def layer(kind: str, name: str = "", inputs: list[str] | None = None, **other: Any) -> dict[str, Any]:
    empty = {"shape": [], "parameters": 0, "formula": "", "activation": ""}
    return {"name": name or kind.lower(), "kind": kind, "inputs": inputs or [], **empty, **other}


def titles(plan: Plan) -> list[str]:
    return [block.title for block in plan.blocks]


def findings(*models: tuple[str, str, str, list[dict[str, Any]]]) -> Findings:
    """Return findings whose chosen models are `(model, label, dataset, layers)`."""
    chosen = tuple(
        Chosen(model, label, data, data, None, (Record(None, Result("completed", layers=layers)),), (), Path())  # type: ignore[arg-type]
        for model, label, data, layers in models
    )
    datasets = tuple(dict.fromkeys(data for _, _, data, _ in models))
    return Findings(SimpleNamespace(compare=(), datasets=datasets), (), chosen, None)  # type: ignore[arg-type]


def section_of(*models: tuple[str, str, str, list[dict[str, Any]]]) -> Section:
    with report_style():
        section = network_section(findings(*models))
    assert section is not None
    return section


def numbers(table: str) -> list[int]:
    """Return the last column of a table: what is counted, and the total."""
    cells = [line.strip("|").split("|")[-1].strip(" *") for line in table.splitlines() if line.startswith("|")]
    return [int(cell.replace(",", "")) for cell in cells if re.fullmatch(r"[\d,]+", cell)]


def check_drawing(layers: list[dict[str, Any]]) -> None:
    """Draw a network and check that no text is cut off or lies on another."""
    with report_style():
        figure = draw_network(plan_of(layers), "A network" * 20)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        boxes = [
            (text.get_text(), text.get_window_extent(canvas.get_renderer()))
            for text in figure.axes[0].texts
            if text.get_text()
        ]
    for index, (text, box) in enumerate(boxes):
        assert box.x0 >= 0 and box.x1 <= figure.bbox.width, text
        assert box.y0 >= 0 and box.y1 <= figure.bbox.height, text
        for other, over in boxes[index + 1 :]:
            apart = box.x1 <= over.x0 + 1 or over.x1 <= box.x0 + 1 or box.y1 <= over.y0 + 1 or over.y1 <= box.y0 + 1
            assert apart, (text, other)


@pytest.mark.parametrize("case", CASES)
def test_every_family_is_drawn_without_overlap(case: str) -> None:
    check_drawing(layers_of(case))


@pytest.mark.parametrize("case", CASES)
def test_the_table_sums_up_to_the_parameters_of_the_network(case: str) -> None:
    total = sum(one["parameters"] for one in layers_of(case))
    *counts, last = numbers(to_markdown(layer_table(plan_of(layers_of(case)), total)))
    assert sum(counts) == last == total > 0


def test_blocks_stand_in_order_with_what_is_folded_into_them() -> None:
    plan = plan_of(layers_of("cnn"))
    conv = "conv 3×3, 32"
    assert titles(plan) == ["image", conv, "max pool ÷2", conv, "max pool ÷2", conv, "dense 64", "softmax 10"]
    assert plan.blocks[1].notes == ("BN", "ReLU")
    assert plan.blocks[5].notes == ("BN", "ReLU", "flatten")
    assert [block.shape for block in plan.blocks[:3]] == [(32, 32, 3), (30, 30, 32), (15, 15, 32)]
    assert not plan.arcs and not plan.boxes


def test_a_stride_is_told_from_missing_padding() -> None:
    alexnet = {block.title: block.notes for block in plan_of(layers_of("alexnet")).blocks}
    assert alexnet["conv 5×5, 64"] == ("stride 2", "ReLU")
    assert "stride 2" not in plan_of(layers_of("lenet")).blocks[3].notes  # 5×5 without padding


def test_no_hidden_layer_at_all() -> None:
    assert titles(plan_of(layers_of("softmax"))) == ["image", "softmax 10"]


def test_the_shortcut_of_resnet_is_an_arc_with_its_convolution() -> None:
    plan = plan_of(layers_of("resnet"))
    (arc,) = plan.arcs
    assert titles(plan)[arc.begin] == "max pool ÷2" and titles(plan)[arc.end] == "add"
    assert arc.end - arc.begin == 6
    assert arc.label == "conv 1×1, 128, stride 4"
    assert not plan_of(layers_of("plain")).arcs


def test_residual_blocks_that_repeat_are_drawn_once() -> None:
    plan = plan_of(layers_of("projection"))
    assert [box.times for box in plan.boxes] == [3, 2, 2]
    for box in plan.boxes:
        assert box.last - box.first == 2 and plan.blocks[box.last].title == "add"
        assert Arc(box.first - 1, box.last) in plan.arcs
    labels = [arc.label for arc in plan.arcs]
    assert labels == ["", "conv 1×1, 32, stride 2", "", "conv 1×1, 64, stride 2", ""]
    assert [arc.label for arc in plan_of(layers_of("identity")).arcs if arc.label] == [
        "average pool ÷2; zero padding"
    ] * 2


def test_convolutions_in_a_row_are_drawn_once_where_there_are_many() -> None:
    assert [box.times for box in plan_of(layers_of("deep")).boxes] == [18, 17, 17]


def test_a_section_has_a_picture_and_a_table_for_each_model() -> None:
    section = section_of(("a", "A | b", "digits", layers_of("ann")), ("c", "C", "digits", layers_of("cnn")))
    assert section.key == "network"
    assert pictures_of(section) == ["network-a-digits.png", "network-c-digits.png"]
    assert r"A \| b" in words(section) and "A | b" not in words(section)
    assert "| conv_1 " in words(section) and "3·3·3·32" in words(section)
    with report_style():
        assert all(png(figure).startswith(b"\x89PNG") for figure in figures_of(section).values())


def test_equal_networks_are_drawn_once_and_different_ones_of_a_model_each() -> None:
    renamed = [
        {**one, "name": f"x_{one['name']}", "inputs": [f"x_{name}" for name in one["inputs"]]}
        for one in layers_of("ann")
    ]
    section = section_of(
        ("a", "A", "one", layers_of("ann")), ("b", "B", "one", renamed), ("a", "A", "two", layers_of("cnn"))
    )
    assert pictures_of(section) == ["network-a-one.png", "network-a-two.png"]
    assert "A and B, one" in words(section)


def test_models_without_layers_are_skipped() -> None:
    assert network_section(findings(("a", "A", "one", []))) is None
    alone = section_of(("a", "A", "one", []), ("b", "B", "one", layers_of("ann")))
    assert pictures_of(alone) == ["network-b-one.png"]


def test_a_long_table_is_folded_away() -> None:
    layers = [layer("Dense", f"d{n}", parameters=n, shape=[n], formula=f"1·{n}") for n in range(2, 60)]
    (folded,) = layer_table(plan_of(layers), 5)
    assert isinstance(folded, Folded)


ODD: dict[str, list[dict[str, Any]]] = {
    "one unknown layer": [{"name": "a", "kind": "Strange$Layer_"}],
    "nothing known": [{}],
    "subclassed": [layer("Conv2D", parameters=40, formula="3·3·1·4 + 4"), layer("Flatten"), layer("Dense")],
    "sizes unknown": [layer("InputLayer", shape=[None, None, 3]), layer("Conv2D", shape=[None, None, 4])],
    "strange shapes": [layer("A", shape=[0]), layer("B", shape=[0, 0, 0]), layer("C", shape=[1, 2, 3, 4, 5])],
    "unknown inputs": [layer("InputLayer", shape=[4]), layer("Add", inputs=["gone", "away"], shape=[4])],
    "the same twice": [layer("InputLayer", "i", shape=[4]), layer("Add", inputs=["i", "i"], shape=[4])],
    "very long": [layer("Dense", f"d{n}", shape=[n + 1]) for n in range(300)],
    "long names": [layer("AVeryLongNameOfALayerThatSomebodyWrote" * 5, shape=[3, n]) for n in range(4)],
    "only merges": [layer("InputLayer", "m0")] + [layer("Add", f"m{n}", [f"m{n - 1}", "m0"]) for n in range(1, 9)],
}


@pytest.mark.parametrize("case", ODD)
def test_odd_networks_are_drawn_too(case: str) -> None:
    check_drawing(ODD[case])
    section = section_of(("a", "A $x$ <b>", "one", ODD[case]))
    assert "<b>" not in words(section)
    assert figures_of(section)


def test_unknown_kinds_have_a_neutral_block_with_their_name() -> None:
    plan = plan_of([layer("InputLayer", shape=[8, 8, 1]), layer("Mine", shape=[8, 8, 1]), layer("Dense", shape=[2])])
    assert [(block.kind, block.title) for block in plan.blocks][1] == ("other", "Mine")


def test_parallel_branches_become_arcs_and_all_layers_are_counted() -> None:
    shape = [8, 8, 4]
    plan = plan_of(
        [
            layer("InputLayer", "in", shape=[8, 8, 1]),
            layer("Conv2D", "a", ["in"], shape=shape, parameters=36, formula="3·3·1·4"),
            layer("Conv2D", "b", ["in"], shape=shape, parameters=4, formula="1·1·1·4"),
            layer("Conv2D", "c", ["a"], shape=shape, parameters=144, formula="3·3·4·4"),
            layer("Conv2D", "unused", ["a"], shape=shape, parameters=7, formula=""),
            layer("Concatenate", "all", ["b", "c"], shape=[8, 8, 8]),
        ]
    )
    assert titles(plan) == ["image", "conv 3×3, 4", "conv 3×3, 4", "concatenate"]
    assert [(arc.begin, arc.end, arc.label) for arc in plan.arcs] == [(0, 3, "conv 1×1, 4")]
    assert sum(numbers(to_markdown(layer_table(plan, 191)))[:-1]) == 191


def test_layers_after_a_nested_model_all_hang_on_its_last() -> None:
    plan = plan_of(
        [
            layer("InputLayer", "in", shape=[8, 8, 1]),
            layer("InputLayer", "inner", shape=[8, 8, 1]),
            layer("MaxPooling2D", "pool", ["inner"], shape=[4, 4, 1]),
            layer("Conv2D", "a", ["nested"], shape=[4, 4, 2], formula="3·3·1·2"),
            layer("Conv2D", "b", ["nested"], shape=[4, 4, 2], formula="1·1·1·2"),
            layer("Add", "add", ["a", "b"], shape=[4, 4, 2]),
        ]
    )
    assert titles(plan) == ["image", "max pool ÷2", "conv 3×3, 2", "add"]
    assert [(arc.begin, arc.end) for arc in plan.arcs] == [(1, 3)]
