"""How far a model's probabilities can be believed, and the mistakes that it was surest of."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator
from numpy.typing import NDArray

from tuner import columns as col
from tuner.analysis.calibration import BINS, Calibration, confident_mistakes
from tuner.analysis.findings import Chosen, Findings
from tuner.analysis.significance import share_interval
from tuner.contents.cells import DASH, number
from tuner.contents.sections import Content, Folded, Paragraph, Picture, Section, Table
from tuner.figures.style import colour, new_figure, plain_decades
from tuner.protocol import test_images, training_images
from tuner.report.pictured_mistakes import heat_of_mistakes, mistakes_figure
from tuner.text import escape

#: So many mistakes of each model are pictured, and so many stand in mistakes.csv.
_PICTURED, _LISTED = 12, 50
#: Accuracy by class size is shown where the largest class has so many times the images of the smallest.
_UNEQUAL = 1.5
#: Of more classes than twice this only so many of the smallest and of the largest are shown.
_CLASSES = 10
#: Bins of fewer images than this are drawn hollow, and no line runs through them.
_SURE = 10


def mistakes_section(findings: Findings) -> Section | None:
    """Show how the saved models' confidence stands to their accuracy, and their most confident mistakes."""
    contents: list[Content] = []
    scores, bins, mistakes = [], [], []
    for dataset in findings.datasets:
        models = findings.on(dataset)
        slug = findings.search.slugs[dataset]
        calibrations = [Calibration(chosen.predictions) for chosen in models]
        frame = _calibration_frame(models, calibrations)
        scores.append(frame)
        bins += [_bins_frame(*each) for each in zip(models, calibrations, strict=True)]
        contents.append(_calibration_table(dataset, models, frame))
        caption = (
            f"Accuracy by confidence of the saved models on the test images of {dataset}, in {BINS} bins with 95 % "
            f"intervals, and how many images each bin has. Bins of fewer than {_SURE} are hollow. A calibrated model "
            "is on the dashed line."
        )
        draw = partial(_reliability_figure, models, calibrations)
        contents.append(Picture("reliability", f"reliability-{slug}.png", caption, draw))
        for chosen, calibration in zip(models, calibrations, strict=True):
            images = _test_images(findings, chosen)
            wrong = confident_mistakes(chosen.predictions, _LISTED)
            if not len(wrong):
                count = f"{len(chosen.predictions.labels):,}"
                told = f"{escape(chosen.label)} classified all {count} test images of {escape(dataset)} rightly."
                contents.append(Paragraph(told))
                continue
            files = findings.files(dataset)
            mistakes.append(_mistakes_frame(chosen, calibration, images, wrong, files))
            draw = partial(mistakes_figure, findings, chosen, calibration, images, wrong[:_PICTURED])
            file = f"mistakes-{chosen.model}-{slug}.png"
            contents.append(Picture("mistakes", file, _mistakes_caption(chosen, len(wrong)), draw))
            contents.append(heat_of_mistakes(findings, chosen, images, wrong[:_PICTURED]))
            if files:
                contents.append(
                    _files_table(chosen, calibration, [files[place] for place in images[wrong[:_PICTURED]]], wrong)
                )
        contents += _by_class_size(findings, models)
    if not contents:
        return None
    tables = {
        "calibration.csv": pd.concat(scores, ignore_index=True),
        "reliability.csv": pd.concat(bins, ignore_index=True),
    }
    links = "The tables as numbers: [calibration.csv](calibration.csv). Each bin: [reliability.csv](reliability.csv)."
    if mistakes:
        tables["mistakes.csv"] = pd.concat(mistakes, ignore_index=True)
        by = "by file and place" if any(findings.files(dataset) for dataset in findings.datasets) else "by their place"
        links += f" Up to {_LISTED} mistakes of each model {by} in the test set: [mistakes.csv](mistakes.csv)."
    return Section("mistakes", "Confidence and mistakes", [*contents, Paragraph(links)], tables)


def _calibration_frame(models: list[Chosen], calibrations: list[Calibration]) -> pd.DataFrame:
    """Return how well each saved model is calibrated, a row a model."""
    return pd.DataFrame(
        [
            {
                col.DATASET: chosen.dataset,
                col.MODEL: chosen.model,
                "images": len(chosen.predictions.labels),
                "accuracy": chosen.predictions.accuracy,
                "mean_confidence": calibration.mean_confidence,
                "ece": calibration.ece,
                "ece_over": calibration.over,
                "ece_under": calibration.under,
                "ece_if_calibrated": calibration.ece_if_calibrated,
                "nll": calibration.nll,
                "brier": calibration.brier,
                "verdict": calibration.verdict,
            }
            for chosen, calibration in zip(models, calibrations, strict=True)
        ]
    )


def _calibration_table(dataset: str, models: list[Chosen], frame: pd.DataFrame) -> Table:
    scores = ["accuracy", "mean_confidence", "ece", "ece_if_calibrated", "nll", "brier"]
    records = frame.to_dict("records")
    rows = [
        [escape(chosen.label), *[number(record[name]) for name in scores], record["verdict"]]
        for chosen, record in zip(models, records, strict=True)
    ]
    heads = ["model", "accuracy", "mean confidence", "ECE", "if calibrated below", "NLL", "Brier", "verdict"]
    about = (
        f"The saved models on the {records[0]['images']:,} test images of {escape(dataset)}. Confidence is the "
        "probability of the class that a model names. ECE, the expected calibration error, is how far confidence and "
        "accuracy lie apart in a bin, in the mean over images; that of a calibrated model would be below the next "
        "column in 95 of 100 test sets."
    )
    return Table(rows, heads, lead="Of NLL (log loss, in nats) and Brier score (0 to 2), less is better", about=about)


def _bins_frame(chosen: Chosen, calibration: Calibration) -> pd.DataFrame:
    """Return a row for each bin of confidence; a bin holds what is above its low end, up to and with its high end."""
    curve, ends = calibration.reliability, np.arange(BINS + 1) / BINS
    return pd.DataFrame(
        {
            col.DATASET: chosen.dataset,
            col.MODEL: chosen.model,
            "confidence_above": ends[:-1],
            "confidence_to": ends[1:],
            "images": curve.images,
            "mean_confidence": curve.confidence,
            "accuracy": curve.accuracy,
        }
    )


def _reliability_figure(models: list[Chosen], calibrations: list[Calibration]) -> Figure:
    """Draw accuracy by confidence of each model, two in a row, and under it how many images stand behind it."""
    across = min(2, len(models))
    down = -(-len(models) // across)
    figure = new_figure(4.7 * across + 0.3, 4.3 * down)
    grid = figure.subplots(2 * down, across, squeeze=False, gridspec_kw={"height_ratios": [3, 1] * down})
    for axes in grid.flat:
        axes.set_axis_off()
    for index, (chosen, calibration) in enumerate(zip(models, calibrations, strict=True)):
        row, column = divmod(index, across)
        upper, lower = grid[2 * row, column], grid[2 * row + 1, column]
        upper.set_axis_on()
        lower.set_axis_on()
        _draw_reliability(upper, calibration, colour(chosen.number))
        _draw_counts(lower, calibration, colour(chosen.number))
        upper.set_title(f"{chosen.label}, {chosen.dataset}: ECE {calibration.ece:.3f}")
    return figure


def _draw_reliability(axes: Axes, calibration: Calibration, ink: str) -> None:
    curve = calibration.reliability
    axes.plot([0, 1], [0, 1], color="#777777", linestyle=(0, (4, 3)), linewidth=1)
    some, sure = np.flatnonzero(curve.images), curve.images >= _SURE
    intervals = [share_interval(round(float(curve.accuracy[m] * curve.images[m])), int(curve.images[m])) for m in some]
    axes.vlines(
        curve.confidence[some],
        [interval.low for interval in intervals],
        [interval.high for interval in intervals],
        color=ink,
        linewidth=1.4,
        alpha=np.where(sure[some], 0.55, 0.15),  # of few images they reach over the whole figure
    )
    axes.plot(curve.confidence[sure], curve.accuracy[sure], color=ink)
    for those, inside in ((some[sure[some]], ink), (some[~sure[some]], "white")):
        if not len(those):
            continue  # what is empty and not clipped has no place, and the layout fails on it
        axes.plot(
            curve.confidence[those],
            curve.accuracy[those],
            color=ink,
            linestyle="none",
            marker="o",
            markersize=5,
            markerfacecolor=inside,
            clip_on=False,
            zorder=3,
        )
    axes.set_xlim(0, 1.01)
    axes.set_ylim(0, 1.01)
    axes.set_xlabel("confidence")
    axes.set_ylabel("accuracy")


def _draw_counts(axes: Axes, calibration: Calibration, ink: str) -> None:
    images = calibration.reliability.images
    axes.bar((np.arange(BINS) + 0.5) / BINS, images, 0.88 / BINS, color=ink, alpha=0.55)
    axes.set_yscale("log")  # most images are in the last bin
    axes.set_ylim(0.7, 1.6 * max(10, images.max()))
    decades = int(np.log10(max(10, images.max())))
    axes.yaxis.set_major_locator(FixedLocator(list(10.0 ** np.arange(0, decades + 1, 1 + decades // 4))))
    axes.yaxis.set_minor_locator(NullLocator())
    plain_decades(axes.yaxis)
    axes.set_xlim(0, 1.01)
    axes.grid(axis="x", visible=False)
    axes.set_xlabel("confidence")
    axes.set_ylabel("images")


def _test_images(findings: Findings, chosen: Chosen) -> NDArray[np.intp]:
    """Return where in the test set the images stand that a model was scored on, `(n,)`."""
    return test_images(chosen.saved.trial, findings.data(chosen.dataset).y_test)


def _mistakes_frame(
    chosen: Chosen,
    calibration: Calibration,
    images: NDArray[np.intp],
    wrong: NDArray[np.intp],
    files: Sequence[str],
) -> pd.DataFrame:
    """Return a row a mistake; with the image's file where the data set comes from a folder."""
    names, predictions = chosen.predictions.class_names, chosen.predictions
    frame = pd.DataFrame(
        {
            col.DATASET: chosen.dataset,
            col.MODEL: chosen.model,
            "test_image": images[wrong],
            col.TRUE_CLASS: [names[label] for label in predictions.labels[wrong]],
            col.PREDICTED_CLASS: [names[label] for label in predictions.predicted[wrong]],
            col.CONFIDENCE: calibration.confidence[wrong],
        }
    )
    if files:
        frame.insert(list(frame).index(col.TRUE_CLASS), col.FILE, [files[place] for place in images[wrong]])
    return frame


def _files_table(chosen: Chosen, calibration: Calibration, files: Sequence[str], wrong: NDArray[np.intp]) -> Folded:
    """Return the files of the pictured mistakes, in their order, folded away."""
    names, predictions = chosen.predictions.class_names, chosen.predictions
    rows: list[list[object]] = [
        [
            escape(file),
            escape(names[predictions.labels[place]]),
            escape(names[predictions.predicted[place]]),
            number(float(calibration.confidence[place])),
        ]
        for file, place in zip(files, wrong, strict=False)
    ]
    heads = ["file", "true class", "predicted class", "confidence"]
    return Folded(f"Files of these mistakes of {escape(chosen.label)}", [Table(rows, heads, text_columns=3)])


def _mistakes_caption(chosen: Chosen, listed: int) -> str:
    total, wrong = len(chosen.predictions.labels), int((~chosen.predictions.correct).sum())
    which = f"the {_PICTURED} most confident of {wrong:,}" if wrong > _PICTURED else f"all {wrong}"
    made = "the one mistake" if wrong == 1 else f"{which} mistakes"
    return f"{chosen.label} on {chosen.dataset}: {made} on {total:,} test images, each with its true → predicted class."


def _by_class_size(findings: Findings, models: list[Chosen]) -> list[Table]:
    """Return a table of accuracy by class, the smallest class first, where classes are of unequal size."""
    dataset = models[0].dataset
    data = findings.data(dataset)
    names = models[0].predictions.class_names
    trained = training_images(models[0].saved.trial, data)[0]
    sizes = np.bincount(data.y_train[trained], minlength=len(names))
    there = sizes[sizes > 0]
    if there.max() <= _UNEQUAL * there.min():
        return []
    order = [int(label) for label in np.argsort(sizes, kind="stable") if sizes[label]]
    few = len(order) <= 2 * _CLASSES
    rows = []
    for label in order if few else [*order[:_CLASSES], *order[-_CLASSES:]]:
        cells = []
        for chosen in models:
            mine = chosen.predictions.labels == label
            cells.append(number(float(chosen.predictions.correct[mine].mean()) if mine.any() else None))
        rows.append([escape(names[label]), f"{sizes[label]:,}", *cells])
    which = "" if few else f", the {_CLASSES} smallest classes and the {_CLASSES} largest"
    if any(cell == DASH for row in rows for cell in row[2:]):
        which += f"; {DASH} has no test image"
    lead = (
        f"Accuracy on the test images of {escape(dataset)} by class, and how many training images each class had{which}"
    )
    return [Table(rows, ["class", "training images", *[escape(chosen.label) for chosen in models]], lead=lead)]
