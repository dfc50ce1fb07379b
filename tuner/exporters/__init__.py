"""What a search recorded, written for other tools. A new one needs its file and a line here."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tuner.exporters.base import Recorded

__all__ = ["EXPORTERS", "Exporter", "Recorded"]

#: Writes what is recorded into a storage of the other tool's, by its address; yields a line for each thing written.
Exporter = Callable[[Recorded, str], Iterator[str]]


def _optuna(recorded: Recorded, storage: str) -> Iterator[str]:
    from tuner.exporters.optuna import export

    return export(recorded, storage)


def _mlflow(recorded: Recorded, storage: str) -> Iterator[str]:
    from tuner.exporters.mlflow import export

    return export(recorded, storage)


#: The tools by name. Each is an optional extra, imported when it is asked for.
EXPORTERS: dict[str, Exporter] = {"optuna": _optuna, "mlflow": _mlflow}
