"""Metrics of single classes over all retrainings: their spread, and intervals of the difference of two models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tuner import columns as col
from tuner.analysis.class_metrics import CLASS_METRICS, ClassMetric
from tuner.analysis.findings import Chosen
from tuner.analysis.scoring import Predictions, averages
from tuner.analysis.variance import Difference, compare

#: More classes than this are too many for a bar, a curve or a label each; the worst of them are shown.
MOST_CLASSES = 20
#: Stands at the name of a class that has no test image.
ABSENT = "°"


def compared() -> dict[str, ClassMetric]:
    """Return the metrics of a class of which tables show the difference of two models, by name."""
    return {name: metric for name, metric in CLASS_METRICS.items() if metric.compared}


def mean_of(name: str) -> str:
    """Return the column of a metric's mean over all retrainings."""
    return f"{name}_mean"


def sd_of(name: str) -> str:
    """Return the column of a metric's sample standard deviation over all retrainings."""
    return f"{name}_sd"


def undefined_of(name: str) -> str:
    """Return the column that counts the retrainings of which a metric of a class that has images is 0/0."""
    return f"{name}_undefined"


def with_averages(predictions: Predictions) -> pd.DataFrame:
    """Return `per_class` of one retraining with the averages under it; `kind` tells the rows apart.

    A class may be called as an average is.
    """
    metrics = predictions.class_metrics
    kinds = (metrics.assign(**{col.KIND: col.CLASS}), averages(metrics).assign(**{col.KIND: col.AVERAGE}))
    return pd.concat(kinds, ignore_index=True)


def over_retrainings(chosen: Chosen) -> pd.DataFrame:
    """Return the saved model's metrics of each class, and the mean and standard deviation over all retrainings.

    A retraining whose metric is not defined is left out of these two; where none is left they are NaN. Of metrics that
    count as zero in the averages, the number of such retrainings stands beside them.
    """
    each = [with_averages(predictions) for predictions in chosen.all_predictions]
    frame = each[chosen.place].copy()
    for name, metric in CLASS_METRICS.items():
        values = np.array([one[name].to_numpy(dtype=np.float64) for one in each])
        known = np.isfinite(values).sum(axis=0)
        mean = np.divide(np.nansum(values, axis=0), known, out=np.full(len(known), np.nan), where=known > 0)
        squares = np.nansum((values - mean) ** 2, axis=0)
        frame[mean_of(name)] = mean
        variance = np.divide(squares, known - 1, out=np.full(len(known), np.nan), where=known > 1)
        frame[sd_of(name)] = np.sqrt(variance)
        if metric.counts_as_zero:
            frame[undefined_of(name)] = np.where(frame[col.SUPPORT] > 0, len(each) - known, 0)
    return frame


def class_differences(
    pairs: Sequence[tuple[Chosen, Chosen]],
) -> Iterator[tuple[Chosen, Chosen, int | None, str, Difference]]:
    """Yield the difference of each pair of models in each metric of each class, first minus second, with its interval.

    Behind those of the classes follow those of the macro average, over the classes that have test images, whose class
    is None. All are of one data set, scored on the same images. The interval is over retrainings and test images, of
    the metrics' jackknife pseudo-values (`tuner.analysis.jackknife`, `tuner.analysis.variance`); those of an average
    are the averages of its parts'.
    """
    models = list(dict.fromkeys(chosen for pair in pairs for chosen in pair))
    if not models:
        return
    there = np.unique(models[0].predictions.labels)
    sums: dict[str, dict[int, Any]] = {name: {id(chosen): 0.0 for chosen in models} for name in compared()}
    for label in range(len(models[0].predictions.class_names)):
        for name, metric in compared().items():
            values = {id(chosen): _pseudo_values(chosen, label, metric) for chosen in models}
            for a, b in pairs:
                yield a, b, label, name, compare(values[id(a)], values[id(b)]).within(1.0)
            if label in there:
                sums[name] = {model: part + values[model] for model, part in sums[name].items()}
    for name, of_models in sums.items():
        for a, b in pairs:
            macro = compare(of_models[id(a)] / len(there), of_models[id(b)] / len(there))
            yield a, b, None, name, macro.within(1.0)


def _pseudo_values(chosen: Chosen, label: int, metric: ClassMetric) -> NDArray[np.float64]:
    """Return the pseudo-values of a metric of a class, `(retrainings, n)`."""
    return np.stack([metric.pseudo_values(one.of_class(label)) for one in chosen.all_predictions])


def per_class_frame(models: Sequence[Chosen]) -> pd.DataFrame:
    """Return the metrics of each class of each chosen model, averages included.

    They are the saved model's; beside them stand mean and standard deviation over all retrainings.
    """
    parts = []
    for chosen in models:
        both = over_retrainings(chosen)
        both[col.REPEATS] = len(chosen.finals)
        both[col.EPOCHS] = chosen.saved.trial.last_epoch
        both[col.TRAIN_SIZE] = chosen.saved.trial.train_size
        both.insert(0, col.DATASET, chosen.dataset)
        both.insert(0, col.MODEL, chosen.model)
        parts.append(both)
    if not parts:
        spread = [
            column(name)
            for name, metric in CLASS_METRICS.items()
            for column in (mean_of, sd_of, *([undefined_of] if metric.counts_as_zero else []))
        ]
        about = [col.KIND, *spread, col.REPEATS, col.EPOCHS, col.TRAIN_SIZE]
        return pd.DataFrame(columns=[col.MODEL, col.DATASET, col.CLASS, *CLASS_METRICS, col.SUPPORT, *about])
    return pd.concat(parts, ignore_index=True)


def in_the_mean(row: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return a row of `per_class_frame` with means over all retrainings in the place of the saved model's metrics."""
    return {**row, **{name: row[mean_of(name)] for name in CLASS_METRICS}}


@dataclass(frozen=True, eq=False)
class ModelScores:
    """A metric of each class of a model: `each` is `(retrainings, classes)`, `mean` and `sd` are `(classes,)`.

    `number` is the model's, by which it has its colour.
    """

    label: str
    each: NDArray[np.float64]
    mean: NDArray[np.float64]
    sd: NDArray[np.float64]
    number: int = 0


@dataclass(frozen=True, eq=False)
class ClassScores:
    """A metric of each class, of all models of a data set; `images` says how many test images each class has."""

    metric: ClassMetric
    dataset: str
    class_names: Sequence[str]
    images: NDArray[np.intp]
    models: tuple[ModelScores, ...]

    @classmethod
    def of(cls, models: Sequence[Chosen], frame: pd.DataFrame, name: str = col.F1) -> Self:
        """Return a metric of the chosen models of one data set, by its name in `CLASS_METRICS`.

        `frame` holds the rows of `per_class_frame`.
        """
        names, dataset = models[0].predictions.class_names, models[0].dataset
        found = []
        for chosen in models:
            rows = frame[(frame[col.MODEL] == chosen.model) & (frame[col.DATASET] == dataset)][: len(names)]
            each = np.array([one.class_metrics[name].to_numpy(np.float64) for one in chosen.all_predictions])
            mean, sd = (rows[column].to_numpy(np.float64) for column in (mean_of(name), sd_of(name)))
            found.append(ModelScores(chosen.label, each, mean, sd, chosen.number))
        images = np.bincount(models[0].predictions.labels, minlength=len(names))
        return cls(CLASS_METRICS[name], dataset, names, images, tuple(found))

    @property
    def shown(self) -> list[int]:
        """Every class, or of too many the worst in the mean of the models, in the order of their labels."""
        means = np.nan_to_num([model.mean for model in self.models]).mean(axis=0)
        scores = np.where(self.images == 0, np.inf, means)
        return sorted(np.argsort(scores, kind="stable")[:MOST_CLASSES].tolist())
