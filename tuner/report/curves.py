"""Training and validation by epoch, of the chosen search trials."""

from __future__ import annotations

from tuner.findings import Findings, winners
from tuner.report.base import Section, picture
from tuner.report.style import colour, new_figure


def curves_section(findings: Findings) -> Section | None:
    """Draw accuracy and loss by epoch of the best trial of each search, training against validation."""
    best = winners(findings.search, findings.members)
    figures, parts = {}, []
    for dataset in findings.search.datasets:
        shown = [
            (entry.label, best[entry.name, dataset])
            for entry in findings.search.entries
            if (entry.name, dataset) in best
        ]
        if not shown:
            continue
        figure = new_figure(9.5, 3.8)
        for axes, metric in zip(figure.subplots(1, 2), ("accuracy", "loss"), strict=True):
            for index, (label, record) in enumerate(shown):
                history = record.result.history
                epochs = range(1, len(history[metric]) + 1)
                dots = "o" if len(epochs) == 1 else None
                axes.plot(
                    epochs,
                    history[metric],
                    "--",
                    color=colour(index),
                    label=f"{label}, training",
                    marker=dots,
                    alpha=0.75,
                )
                axes.plot(
                    epochs, history[f"val_{metric}"], color=colour(index), label=f"{label}, validation", marker=dots
                )
            axes.set_xlabel("epoch")
            axes.set_ylabel("accuracy" if metric == "accuracy" else "loss (cross-entropy and penalties)")
            axes.set_title(f"{metric.capitalize()}, {dataset}")
            axes.xaxis.get_major_locator().set_params(integer=True)
            axes.legend()
        name = f"curves-{findings.search.slugs[dataset]}.png"
        figures[name] = figure
        parts.append(picture(name, f"Training and validation of the best trial of each search on {dataset}"))
    return Section("Training curves", "\n\n".join(parts), figures) if parts else None
