"""The latency of the saved models, measured behind everything that trains, one after another in one process."""

from __future__ import annotations

from rich.console import Console

from tuner.analysis.findings import Chosen, Findings
from tuner.analysis.latency import Latency, LatencyJob, latency_path, note_failure
from tuner.executors import ExecutionOptions, Executor, Limits, Outcome, Resources
from tuner.running.progress import say
from tuner.system.interrupts import INTERRUPTS
from tuner.system.waiting import doing

_MEASURE = "tuner.worker.latency:measure"
#: What no saved model takes to be loaded and asked.
_MINUTES = 10.0


def measure_latencies(findings: Findings, console: Console) -> None:
    """Note how fast each saved model is, unless it is noted already, or that it cannot be measured.

    Args:
        findings: of a search whose trials have all finished.
        console: where it is said what could not be measured. A cluster's models are measured on this machine.
    """
    waiting = [chosen for chosen in findings.chosen if not latency_path(chosen.artifact).exists()]
    if not waiting:
        return
    here, resources = ExecutionOptions(workers=1), Resources(1, findings.search.gpus_per_trial)
    log = findings.workspace.runs / "workers.log"
    with (
        doing("measuring how fast the saved models are"),
        here.open(_MEASURE, resources, log, Limits(minutes=_MINUTES)) as pool,
    ):
        for chosen in waiting:
            INTERRUPTS.hear()
            outcome = _measured(findings, chosen, pool)
            if isinstance(outcome.value, Latency):
                outcome.value.write(chosen.artifact)
                continue
            if not outcome.died:
                note_failure(chosen.artifact, outcome.value)
            why = outcome.died or outcome.value
            say(console, f"how fast {chosen.label} on {chosen.dataset} is could not be measured: {why}")


def _measured(findings: Findings, chosen: Chosen, pool: Executor) -> Outcome:
    runs, trial = findings.workspace, chosen.saved.trial
    data = runs.store_of(trial.fingerprint).resolve()
    job = LatencyJob(chosen.artifact.resolve(), trial, data)
    pool.submit(trial.id, job, "latency")
    while not (outcomes := pool.wait()):
        INTERRUPTS.hear()
    return outcomes[0]
