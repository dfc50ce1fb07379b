"""The plain lines that a person sees where there is no terminal."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
from rich.console import Console

from tuner.running import forecast, progress
from tuner.running.progress import ProgressReport
from tuner.trial import Record, Result, Trial

TRIAL = Trial("cnn", "blobs", "0" * 16, {}, epochs=2, seed=0)


def completed(accuracy: float) -> Record:
    return Record(TRIAL, Result("completed", val_accuracy=accuracy))


def failed(error: str) -> Record:
    return Record(TRIAL, Result("failed", error))


@dataclass
class Clock:
    """A clock that stands still until it is set."""

    now: float = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (progress, forecast):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


def lines(watch: Callable[[ProgressReport], None], at_a_time: str = "2 at a time") -> list[str]:
    """Return what is printed where the output is a file of 80 columns."""
    output = io.StringIO()
    with ProgressReport(Console(file=output, width=80), lambda: at_a_time) as report:
        watch(report)
    return output.getvalue().splitlines()


def test_a_phase_begins_with_its_number_of_trials_and_of_workers():
    twenty = lines(lambda report: report.begin("search", 20), at_a_time="3 at a time on 2 nodes")
    assert twenty == ["search: 20 trials, 3 at a time on 2 nodes"]
    assert lines(lambda report: report.begin("search", None)) == ["search: 2 at a time"]


def test_the_last_line_counts_the_trials_and_names_the_best_score(clock):
    def watch(report: ProgressReport) -> None:
        report.begin("search", 3)
        for accuracy in (0.5, 0.875, 0.75):
            report.finished(completed(accuracy), known=False)

    assert lines(watch)[1:] == ["search: 3/3, best val. accuracy 0.8750"]


def test_a_line_is_printed_at_most_every_ten_seconds(clock):
    def watch(report: ProgressReport) -> None:
        report.begin("search", 100)
        for _ in range(9):
            clock.now += 4
            report.finished(completed(0.5), known=False)

    # The lines come at 12, 24 and 36 seconds, when 3, 6 and 9 trials are done at 4 seconds each.
    assert lines(watch)[1:] == [
        "search: 3/100, best val. accuracy 0.5000, 6:28 left",
        "search: 6/100, best val. accuracy 0.5000, 6:16 left",
        "search: 9/100, best val. accuracy 0.5000, 6:04 left",
    ]


def test_the_time_left_counts_only_the_trials_that_this_run_trained(clock):
    def watch(report: ProgressReport) -> None:
        report.begin("search", 40)
        for _ in range(30):
            report.finished(completed(0.5), known=True)
        clock.now += 60
        report.finished(completed(0.5), known=False)

    # 9 trials are left and one took a minute; the 30 from before took no time and tell nothing.
    assert lines(watch)[-1] == "search: 31/40, best val. accuracy 0.5000, 30 from before, 9:00 left"


def test_hours_are_shown_as_such(clock):
    def watch(report: ProgressReport) -> None:
        report.begin("search", 11)
        clock.now += 725
        report.finished(completed(0.5), known=False)

    assert lines(watch)[-1].endswith(", 2:00:50 left")  # 10 x 725 s = 7250 s


def test_there_is_no_time_left_to_tell_while_everything_is_from_before(clock):
    def watch(report: ProgressReport) -> None:
        report.begin("search", 4)
        clock.now += 11
        report.finished(completed(0.5), known=True)

    assert lines(watch)[-1] == "search: 1/4, best val. accuracy 0.5000, 1 from before"


def test_where_there_are_several_machines_the_line_counts_the_trials_of_each(clock):
    def watch(report: ProgressReport) -> None:
        report.begin("search", 10)
        for node in ("a", "b", "b", "c", "d", "e", "b", "a"):
            report.finished(completed(0.5), known=False, node=node)
        report.finished(completed(0.5), known=True)
        clock.now += 11
        report.finished(completed(0.5), known=False, node="e")
        report.begin("retraining", 1)
        report.finished(completed(0.5), known=False, node="c")

    shown = lines(watch)
    assert shown[1] == "search: 10/10, best val. accuracy 0.5000, 1 from before, on b 3, a 2, e 2, c 1, 1 more"
    assert shown[3] == "retraining: 1/1, best val. accuracy 0.5000, on c 1"


def test_a_search_of_unknown_length_has_a_question_mark_for_its_end(clock):
    def watch(report: ProgressReport) -> None:
        report.begin("search", None)
        clock.now += 11
        report.finished(completed(0.5), known=False)

    assert lines(watch)[-1] == "search: 1/?, best val. accuracy 0.5000"


def test_a_new_phase_counts_anew_and_shows_test_scores(clock):
    def watch(report: ProgressReport) -> None:
        report.begin("search", 1)
        report.finished(completed(0.9), known=True)
        report.begin("retraining", 1)
        report.finished(Record(TRIAL.as_final(1), Result("completed", test_accuracy=0.625)), known=False)

    assert lines(watch) == [
        "search: 1 trials, 2 at a time",
        "search: 1/1, best val. accuracy 0.9000, 1 from before",
        "retraining: 1 trials, 2 at a time",
        "retraining: 1/1, best test accuracy 0.6250",
    ]


def test_a_failed_trial_is_reported_at_once_with_its_name_and_reason_on_one_line(clock):
    reason = "ValueError: the images are too small for " + ", ".join(f"pool_{n}" for n in range(30))

    def watch(report: ProgressReport) -> None:
        report.begin("search", 3)
        report.finished(completed(0.5), known=False)
        report.finished(failed(reason), known=False)

    assert lines(watch)[1:] == [f"failed: cnn on blobs, trial {TRIAL.id}: {reason}"]


def test_a_failed_trial_counts_as_done_and_not_as_best(clock):
    def watch(report: ProgressReport) -> None:
        report.begin("search", 2)
        report.finished(completed(0.5), known=False)
        report.finished(failed("boom"), known=False)

    assert lines(watch)[-1] == "search: 2/2, best val. accuracy 0.5000, 1 failed"


@pytest.mark.parametrize("text", ["[red]boom[/red]", "[/]", "[/bold] x", "tensor[1, 2]", "a [b] c"])
@pytest.mark.parametrize("tell", ["finished", "retried"])
def test_markup_in_an_error_is_printed_as_it_is(clock, tell, text):
    def watch(report: ProgressReport) -> None:
        report.begin("search", 5)
        if tell == "finished":
            report.finished(failed(text), known=False)
        else:
            report.retried(TRIAL, text)

    assert lines(watch)[-1].endswith(f"trial {TRIAL.id}: {text}")


def test_markup_in_a_path_of_a_data_set_is_printed_as_it_is(clock):
    odd = Record(Trial("my.models:Net", "data[/old]/x.npz", "0" * 16, {}, epochs=1, seed=0), Result("failed", "boom"))

    def watch(report: ProgressReport) -> None:
        report.begin("search", 5)
        report.finished(odd, known=False)

    assert lines(watch)[-1].startswith("failed: my.models:Net on data[/old]/x.npz, trial")


def test_a_trial_that_is_tried_again_is_told_with_the_reason():
    told = lines(lambda report: report.retried(TRIAL, "its worker was killed by signal 9"))
    assert told == [f"again: trial {TRIAL.id}: its worker was killed by signal 9"]


def test_the_time_left_goes_by_the_cost_of_what_is_left(clock):
    trials = [Trial("cnn", "blobs", "0" * 16, {"filters": i}, epochs=2, seed=0) for i in range(4)]

    def watch(report: ProgressReport) -> None:
        report.begin("search", 5)
        for trial, cost in zip(trials, (60.0, 20.0, 10.0, 10.0), strict=True):
            report.proposed(trial, cost)
        clock.now += 30
        report.finished(Record(trials[0], Result("completed", val_accuracy=0.5, seconds=30)), known=False)

    # Half a second a unit; 40 units wait, and the fifth trial, not proposed yet, is taken for an average one of 25.
    assert lines(watch)[1:] == ["search: 1/5, best val. accuracy 0.5000, 0:32 left"]


def test_what_a_terminal_would_obey_is_printed_as_text(clock):
    def watch(report: ProgressReport) -> None:
        report.begin("search", 1)
        report.retried(TRIAL, "killed \x1b[2J")
        record = failed("boom \x1b]0;title\x07 \u202e")
        report.finished(
            Record(Trial("cnn", "x\x1b[31m.npz", "0" * 16, {}, epochs=2, seed=0), record.result), known=False
        )

    text = "\n".join(lines(watch))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert r"killed \x1b[2J" in text
    assert r"x\x1b[31m.npz" in text
    assert r"boom \x1b]0;title\x07 \u202e" in text


#: What a notebook was told, as HTML.
pages: list[str] = []


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What a notebook is told: to show something, or to show it in the place of what it showed."""
    told: list[tuple[str, str]] = []
    pages.clear()

    class Handle:
        def display(self, shown: dict[str, str], raw: bool) -> None:
            told.append(("new", shown["text/plain"]))
            pages.append(shown["text/html"])

        def update(self, shown: dict[str, str], raw: bool) -> None:
            told.append(("again", shown["text/plain"]))
            pages.append(shown["text/html"])

    monkeypatch.setattr("IPython.display.DisplayHandle", Handle)
    return told


def test_a_notebook_has_one_line_a_phase_that_is_written_over(clock, notebook):
    with ProgressReport(Console(force_jupyter=True), lambda: "2 at a time") as report:
        report.begin("search", 3)
        for seconds in (0, 0.5, 1.5):
            clock.now += seconds
            report.finished(completed(0.5), known=False, node="[b]old")
        report.begin("retraining", 1)
    assert [how for how, _ in notebook] == ["new", "again", "new"]  # not more often than once a second
    assert notebook[0][1] == "search: 3 trials, 2 at a time"
    assert notebook[1][1] == "search: 3/3, best val. accuracy 0.5000, on [b]old 3"
    assert notebook[2][1].startswith("retraining: 1 trials")


def test_a_notebook_shows_a_bar_and_names_as_text(clock, notebook):
    with ProgressReport(Console(force_jupyter=True), lambda: "2 at a time") as report:
        report.begin("search", 2)
        for _ in range(2):
            clock.now += 2
            report.finished(completed(0.5), known=False, node="<b>")
        report.begin("search", None)
    best = "best val. accuracy 0.5000"
    assert pages[1:3] == [
        f'<progress value="1" max="2"></progress> <code>search: 1/2, {best}, 0:02 left, on &lt;b&gt; 1</code>',
        f'<progress value="2" max="2"></progress> <code>search: 2/2, {best}, on &lt;b&gt; 2</code>',
    ]
    assert pages[3].startswith("<code>search: ")  # of a phase whose length nobody knows


def test_a_notebook_that_wants_no_progress_has_none(clock, notebook):
    with ProgressReport(Console(force_jupyter=True, quiet=True), lambda: "2 at a time") as report:
        report.begin("search", 1)
        report.finished(completed(0.5), known=False)
    assert notebook == []


def test_there_is_no_best_where_nothing_completed(clock):
    def watch(report: ProgressReport) -> None:
        report.begin("search", 2)
        report.finished(failed("a"), known=False)
        report.finished(failed("b"), known=False)

    assert lines(watch)[-1] == "search: 2/2, 2 failed"


def test_the_best_of_nothing_but_zeros_is_zero(clock):
    def watch(report: ProgressReport) -> None:
        report.begin("search", 1)
        report.finished(completed(0.0), known=False)

    assert lines(watch)[-1] == "search: 1/1, best val. accuracy 0.0000"
