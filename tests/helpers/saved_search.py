"""A search that is recorded with one saved model, as `tuner run` would leave it, without any training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from recorded import whole, whole_final

from tuner.analysis.findings import Findings
from tuner.analysis.recorded import load_findings
from tuner.datasets.base import Dataset
from tuner.datasets.store import save_to_store
from tuner.ledger.ledger import Ledger, SearchTrial
from tuner.report.cards import card_json
from tuner.running.checks import with_code
from tuner.search_file.file import parse_search
from tuner.search_file.overrides import Overrides
from tuner.trial import Record, Result, artifact_path
from tuner.untrusted.sizes import sha256_of
from tuner.workspace import Workspace

RAW: dict[str, Any] = {
    "title": "x",
    "dataset": "blobs",
    "repeats": 1,
    "training": {"epochs": 1},
    "search": [{"family": "ann", "space": {"dense_units": 4}}],
}


def saved_search(
    folder: Path,
    data: Dataset,
    model: keras.Model,
    change: Callable[[Path], object] | None = None,
    searched: dict[str, Any] | None = None,
    environment: dict[str, Any] | None = None,
    data_dir: Path | None = None,
) -> tuple[Findings, Path]:
    """Write a search whose one retraining left this model, as `tuner run` would; return its report's model file.

    `searched` is its [[search]], and `environment` what the worker noted of the retraining.
    """
    workspace = Workspace(folder / "runs", folder / "reports", data_dir)
    raw = {**RAW, "search": [searched]} if searched else RAW
    search = with_code(parse_search(raw, "mine", folder, Overrides(), "0" * 16))
    name = search.model_searches[0].name
    save_to_store(data, workspace.store)
    model_search = search.model_searches[0]
    trial = search.trial(model_search, "blobs", data.fingerprint, next(model_search.space.grid()), None)
    final = trial.as_final(1)
    workspace.artifacts.mkdir()
    saved = workspace.artifacts / "model.keras"
    probabilities = model.predict(data.x_test, verbose=0)
    model.save(saved)
    if change is not None:
        change(saved)
    np.savez(workspace.artifacts / "p.npz", probabilities=probabilities, labels=data.y_test)
    files = {"model": sha256_of(saved), "predictions": sha256_of(workspace.artifacts / "p.npz")}
    report = workspace.reports / "mine"
    report.mkdir(parents=True)
    (report / f"{name}-blobs.keras").write_bytes(saved.read_bytes())
    saved.rename(artifact_path(workspace.artifacts, final.id, files["model"], ".keras"))
    (workspace.artifacts / "p.npz").rename(artifact_path(workspace.artifacts, final.id, files["predictions"], ".npz"))
    accuracy = float((probabilities.argmax(axis=1) == data.y_test).mean())
    with Ledger(workspace.ledger) as ledger:
        ledger.open_search("mine", search.key, search.to_json())
        for number, (one, role) in enumerate(((trial, "search"), (final, "final"))):
            score = (
                {"val_accuracy": 0.5}
                if role == "search"
                else {"test_accuracy": accuracy, "files": files, "environment": environment or {}}
            )
            ledger.record(
                Record(one, (whole if role == "search" else whole_final)(Result("completed", parameters=195, **score)))
            )
            ledger.add("mine", SearchTrial(name, "blobs", role, number, one.id))
        ledger.close_search("mine")
        findings = load_findings(ledger, search, workspace)
    (report / f"{name}-blobs.json").write_text(card_json(findings, findings.chosen[0]), encoding="utf-8")
    return findings, report / f"{name}-blobs.keras"
