"""Learning curves whose first loss dwarfs all others are drawn on a logarithmic axis, and no others."""

from __future__ import annotations

import pytest

from tuner.analysis.learning import LearningCurve
from tuner.figures.curves import best_figure
from tuner.figures.style import report_style
from tuner.objective import ACCURACY


def scales(loss: list[float]) -> list[str]:
    """Return the scales of accuracy and loss of a training with this loss on validation images."""
    accuracy = [0.5] * len(loss)
    history = {"accuracy": accuracy, "val_accuracy": accuracy, "loss": [1.0] * len(loss), "val_loss": loss}
    with report_style():
        figure = best_figure([LearningCurve("CNN", "blobs", "1", history)], "blobs", ACCURACY)
        figure.draw_without_rendering()
    return [axes.get_yscale() for axes in figure.axes]


@pytest.mark.parametrize(
    ("loss", "scale"),
    [
        ([73.0, 2.4, 1.6, 1.5], "log"),
        ([2.3, 0.9, 0.5, 0.4], "linear"),
        ([0.4, 0.9, 9.0, 73.0], "linear"),
        ([73.0, 2.4, 0.0, 0.0], "linear"),
        ([float("nan"), 73.0, 1.6, 1.5], "log"),
        ([float("nan")] * 4, "linear"),
        ([2.0], "linear"),
    ],
    ids=[
        "a start that dwarfs",
        "a usual one",
        "one that grows",
        "down to 0",
        "not a number first",
        "none",
        "one epoch",
    ],
)
def test_a_loss_whose_start_hides_the_rest_has_a_logarithmic_axis(loss: list[float], scale: str) -> None:
    assert scales(loss) == ["linear", scale]
