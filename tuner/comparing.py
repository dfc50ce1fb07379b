"""One comparison table over several searches."""

from __future__ import annotations

from tuner.findings import Chosen, Findings
from tuner.report.base import DASH, escape, number, p_text, plus_minus, table
from tuner.report.budget import budget
from tuner.significance import accuracy_interval, holm, mcnemar


def compare_searches(all_findings: list[Findings]) -> str:
    """Return a markdown table of the chosen models of several searches, best first on each data set.

    The p-value is McNemar's against the best model on that data set, adjusted after Holm; a dash where the two
    were not scored on the same test images.
    """
    rows: list[list[object]] = []
    datasets = dict.fromkeys(chosen.dataset for findings in all_findings for chosen in findings.chosen)
    for dataset in datasets:
        models = [(findings, chosen) for findings in all_findings for chosen in findings.on(dataset)]
        models.sort(key=lambda pair: -pair[1].mean)
        rivals = [chosen for _, chosen in models[1:] if _same_images(models[0][1], chosen)]
        adjusted = holm([mcnemar(models[0][1].predictions.correct, rival.predictions.correct) for rival in rivals])
        p_of = {id(rival): p for rival, p in zip(rivals, adjusted, strict=True)}
        for findings, chosen in models:
            interval = accuracy_interval(chosen.predictions.correct)
            p = p_of.get(id(chosen))
            rows.append(
                [
                    escape(dataset),
                    escape(findings.search.name),
                    escape(chosen.label),
                    plus_minus(chosen.mean, chosen.sd),
                    number(chosen.predictions.accuracy),
                    f"{interval.low:.4f} to {interval.high:.4f}",
                    DASH if p is None else p_text(p).removeprefix("= "),
                    f"{chosen.saved.result.parameters:,}",
                    number(chosen.megabytes, 2),
                    escape(budget(findings)),
                ]
            )
    heads = ["data set", "search", "model", "mean test accuracy ± sd", "saved model", "95 % interval", "p against best"]
    detail = table(rows, [*heads, "parameters", "file, MB", "budget"], text_columns=3)
    return f"{_models_by_datasets(all_findings, list(datasets))}\n\n{detail}" if len(datasets) > 1 else detail


def _models_by_datasets(all_findings: list[Findings], datasets: list[str]) -> str:
    """Return a row per model and a column per data set: mean test accuracy, and the size of the file in brackets."""
    cells: dict[str, dict[str, str]] = {}
    for findings in all_findings:
        for chosen in findings.chosen:
            cell = f"{plus_minus(chosen.mean, chosen.sd)} ({chosen.megabytes:.2f} MB)"
            row = cells.setdefault(chosen.label, {})
            row[chosen.dataset] = f"{row[chosen.dataset]}; {cell}" if chosen.dataset in row else cell
    rows = [[escape(label), *[row.get(dataset, DASH) for dataset in datasets]] for label, row in cells.items()]
    return table(rows, ["mean test accuracy ± sd (file)", *map(escape, datasets)])


def _same_images(a: Chosen, b: Chosen) -> bool:
    one, other = a.saved.trial, b.saved.trial
    drawn_alike = one.test_size == other.test_size and (one.test_size is None or one.split_seed == other.split_seed)
    return one.fingerprint == other.fingerprint and drawn_alike
