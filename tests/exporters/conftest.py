"""A search to export, and where to."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from made_up import Project, first

from tuner.datasets.base import Dataset
from tuner.exporters import EXPORTERS, Recorded


@pytest.fixture
def project(tmp_path: Path, blobs: Dataset) -> Project:
    made = Project(tmp_path, blobs)
    ann = made.searched("ann", [0.5, 0.6])
    made.searched("cnn", [0.7, 0.8, None, 0.9, 0.85, 0.6])
    made.retrained("ann", ann[1], [first(30), first(31)])
    return made


@pytest.fixture
def export() -> Callable[[str, Project, str], list[str]]:
    """Export a project to a tool's storage and return the lines that are printed."""
    return lambda tool, project, storage: list(
        EXPORTERS[tool](Recorded.read(project.ledger, project.search.name), storage)
    )


@pytest.fixture
def change(project: Project) -> Callable[[str], None]:
    """Change the ledger of the project by SQL."""

    def change_it(statement: str) -> None:
        with sqlite3.connect(project.workspace.ledger) as ledger:
            ledger.execute(statement)
        ledger.close()

    return change_it


@pytest.fixture(scope="session")
def _mlflow_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from mlflow.tracking import MlflowClient

    file = tmp_path_factory.mktemp("mlflow") / "empty.db"
    MlflowClient(tracking_uri=f"sqlite:///{file}").search_experiments()
    return file


@pytest.fixture
def mlflow_storage(_mlflow_tables: Path, tmp_path: Path) -> str:
    """A database of MLflow's, which makes its tables in seconds and not for each test."""
    return f"sqlite:///{shutil.copy(_mlflow_tables, tmp_path / 'storage.db')}"
