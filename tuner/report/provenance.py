"""Where the numbers come from: budget, seeds, data, versions, hardware; and how far they repeat."""

from __future__ import annotations

from collections.abc import Sequence

from tuner.analysis.ended import asked_in_words, events_in_words
from tuner.analysis.findings import Findings
from tuner.analysis.looks import Looks
from tuner.contents.sections import Paragraph, Section, Table
from tuner.datasets.remarks import groups_in_words, images_of, number_of, sentences
from tuner.errors import MOST_LISTED
from tuner.ledger.requests import OF_A_MODEL, OF_A_TRIAL
from tuner.report.budget import budget
from tuner.search_file.model import Search
from tuner.text import escape, first_of

#: What workers note about where they ran, and how the table calls it.
_ENVIRONMENT = {
    "backend": "backend",
    "keras": "Keras",
    "numpy": "NumPy",
    "python": "Python",
    "tuner": "tuner",
    "engine": "engine",
    "callbacks": "callbacks of the user's own, which Keras' fit calls",
    "device": "device",
    "threads": "threads per trial",
}
_METHOD = (
    "Intervals, 95 %: of an accuracy over the test images Wilson's; of a mean and of a difference over retrainings and "
    "test images by t from their variance components, which nothing random has a part in."
)
_ON_CPU = (
    "On a CPU a training repeats bit for bit with the same number of threads per trial: with this seed, these versions "
    "and such a machine, any number of workers and any interruptions, everything in this report, the models included, "
    "is the same bytes but the section [Time](#time)."
)
_WITHOUT = (
    "A trial that was stopped or skipped by hand has neither failed nor a score: no table has it, nothing is chosen or "
    "learned from it, and a run that goes on with the search leaves it out too."
)
_CHANGED = (
    "Configurations that were added by hand, and a max_trials that was changed, are a part of this search from that "
    "moment on: a run that goes on with it has the same trials, and a run of its search file alone may have others."
)
_EARLIER = (
    "Proposals began with {} of this search as it was before its file changed; what learns from results learned from "
    "{}. A run that goes on with it has the same trials, and a run of its search file alone may have others."
)
#: What the libraries document of devices that are no CPU. TensorFlow: `tf.config.experimental.enable_op_determinism`.
#: NVIDIA: cuDNN developer guide, "Reproducibility (Determinism)". OpenXLA: docs/determinism.md.
_ON_DEVICE = {
    "tensorflow": (
        "On {device}, where trials of this search ran, that is not promised. TensorFlow ran with "
        "`enable_op_determinism`, which by its documentation lets an operation give the same on the same hardware each "
        "time, or fail where it cannot. Between GPUs of different architectures no routine of cuDNN promises the same "
        "bits; scores then differ from their last digits on, and with them the choice between trials that lie close "
        "together."
    ),
    "jax": (
        "On {device}, where trials of this search ran, that is not promised. XLA, which compiles for JAX, documents "
        "that it chooses kernels by timing them, and that scatters, matrix products and convolutions may add up in "
        "another order each time unless a flag forbids it (`--xla_gpu_deterministic_ops`), which this tool does not "
        "set: two runs on one machine may differ from the last digits of a score on, and with them the choice between "
        "trials that lie close together."
    ),
}


def provenance_section(findings: Findings) -> Section:
    """List what is needed to get the same numbers again."""
    search = findings.search
    records = [record for _, record in findings.search_trials]
    finals = sorted({record.trial.seed for record in records if record.trial.role == "final"})
    rows: list[list[object]] = [
        ["search file", _file_of(search)],
        ["budget", budget(findings)],
        ["trials", _counts(findings)],
        ["seeds", f"search {search.seed}; retraining {', '.join(map(str, finals)) or '–'}"],
    ]
    if findings.recorded_before:
        rows.append(["recorded before", _before(findings)])
    if findings.decisions:
        rows.append(["decided by hand", escape("; ".join(map(asked_in_words, findings.decisions)))])
    if findings.events:
        rows.append(["ended before its end", escape("; ".join(events_in_words(search, findings.events)))])
    for dataset in findings.seen_datasets:
        data = findings.data(dataset)
        rows.append(
            [
                f"data set {escape(dataset)}",
                images_of(data)
                + (f" from {escape(data.source)}" if data.source else "")
                + f", fingerprint {data.fingerprint}",
            ]
        )
        if dataset in findings.looks:
            rows.append([f"test images of {escape(dataset)}", _looks(findings, findings.looks[dataset])])
        if data.groups:
            rows.append([f"groups in {escape(dataset)}", "; ".join(groups_in_words(data))])
        across = sentences(data, findings.copies(dataset))
        if across:
            rows.append([f"copies in {escape(dataset)}", "; ".join(across)])
        if data.left_out:
            rows.append([f"left out of {escape(dataset)}", _left_out(data.left_out)])
    environments = [record.result.environment for record in records]
    for key, name in _ENVIRONMENT.items():
        values = dict.fromkeys(str(e[key]) for e in environments if key in e)
        if values:
            rows.append([name, escape(", ".join(values))])
    told = map(Paragraph, [_METHOD, *_flattery(findings), *_repeating(findings)])
    return Section("provenance", "Provenance", [Table(rows, ["what", "value"], text_columns=2), *told])


def _before(findings: Findings) -> str:
    """Return how many trials had been recorded when the search began, and which other searches have them."""
    before, count = findings.recorded_before, len(findings.search_trials)
    listed = [findings.elsewhere[record.trial.id] for record in before if findings.elsewhere.get(record.trial.id)]
    names = sorted(frozenset[str]().union(*listed))
    told = f"{len(before):,} of {count:,} trials and retrainings were recorded before this search began"
    if not names:
        return told
    return f"{told}; {len(listed):,} of them {'stands' if len(listed) == 1 else 'stand'} in {_named(names)}, too"


def _named(searches: Sequence[str]) -> str:
    """Return the names of searches, of many the first."""
    return first_of([escape(name) for name in searches], MOST_LISTED)


def _looks(findings: Findings, looks: Looks) -> str:
    """Return how often a data set's test images were scored, and in which searches."""
    others = [name for name in looks.searches if name != findings.search.file_name]
    where = "in this search"
    if others:
        where += f" and {number_of(len(others), 'other')} of this ledger ({_named(others)})"
    if not looks.scorings:
        return "not scored yet"
    return f"scored {number_of(looks.scorings, 'time')}, for {number_of(looks.models, 'configuration')}, {where}"


def _flattery(findings: Findings) -> list[str]:
    """Return what it means that the test images of a data set scored several models, a text each."""
    texts = []
    for dataset, looks in findings.looks.items():
        best = max(findings.on(dataset), key=lambda chosen: chosen.mean, default=None)
        if best is None or looks.models < 2:
            continue
        points = 100 * looks.flattery(best.mean, len(best.predictions.labels))
        if set(looks.searches) <= {findings.search.file_name}:
            who = f"The test images of {escape(dataset)} scored {looks.models:,} configurations of this search."
        else:
            who = f"Other searches of this ledger scored models on the test images of {escape(dataset)} too."
        texts.append(
            f"{who} Who picks among "
            f"all of them by these scores picks on the test images: were the {looks.models:,} configurations equally "
            f"good, the best one's accuracy would flatter it by up to {points:.1f} points. Only images that none of "
            "them was scored on can tell."
        )
    return texts


def _file_of(search: Search) -> str:
    """Return which file a search was read from."""
    if not search.file_hash:
        return "none: the search was made in Python"
    return f"{escape(search.name)}.toml, SHA-256 begins {search.file_hash}"


def _left_out(files: Sequence[tuple[str, str]]) -> str:
    """Return which files of a folder were left out, and why."""
    told = "; ".join(f"{escape(file)}: {escape(problem)}" for file, problem in files[:MOST_LISTED])
    more = f"; and {len(files) - MOST_LISTED:,} more" if len(files) > MOST_LISTED else ""
    return f"{number_of(len(files), 'file')} that cannot be used: {told}{more}"


def repeats_bit_for_bit(findings: Findings) -> bool:
    """Return whether another run gives the same bytes but for times: all trials ran on a CPU, to their own end."""
    return len(_repeating(findings)) == 1


def _repeating(findings: Findings) -> list[str]:
    """Return how far the report repeats: on a CPU, and what is otherwise where trials ran elsewhere or were ended."""
    results = [record.result for _, record in findings.search_trials]
    notes = [result.environment for result in results if "device" in result.environment]
    devices = dict.fromkeys((str(note["backend"]).split()[0], str(note["device"])) for note in notes)
    texts = [_ON_DEVICE[backend].format(device=escape(device)) for backend, device in devices if device != "cpu"]
    if any(one.what in OF_A_TRIAL and not one.refused for one in findings.decisions):
        texts.append(_WITHOUT)
    if any(one.what in OF_A_MODEL and not one.refused for one in findings.decisions):
        texts.append(_CHANGED)
    if earlier := sum(len(one.earlier) for one in findings.search.model_searches):
        texts.append(_EARLIER.format(number_of(earlier, "trial"), "it" if earlier == 1 else "them"))
    if any(event.hours is not None for event in findings.events):
        texts.append("How far a search comes within its hours may differ from run to run.")
    ended = sum(bool(result.passed) for result in results)
    if ended:
        texts.append(f"Whether a trial reaches a limit of time or memory may differ from run to run; {ended} did.")
    return [_ON_CPU, *texts]


def _counts(findings: Findings) -> str:
    searched = findings.trials()
    done = sum(record.completed for record in searched)
    finals = [record for search_trial, record in findings.search_trials if search_trial.role == "final"]
    ended = sum(record.completed for record in finals)
    return (
        f"{done} completed and {len(searched) - done} failed in the search; {ended} retrainings completed and "
        f"{len(finals) - ended} failed, of {findings.search.repeats} for each model on each data set"
    )
