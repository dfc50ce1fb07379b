"""The tables of a search file that say what a study printed, and what a report shows beyond every report."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class FilePart(BaseModel):
    """A table of a search file: no unknown keys, no conversions."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


Share = Annotated[float, Field(ge=0, le=1)]


class StudyScore(FilePart):
    """A printed accuracy of one model on one data set, or its printed range; and what else was printed of it."""

    model: str = Field(description="Name of the `[[search]]` that repeats it.")
    dataset: str = Field(description="A data set of the file.")
    test_accuracy: Share | Annotated[list[Share], Field(min_length=2, max_length=2)] = Field(
        description="The accuracy on the test set; the lowest and the highest where a range is printed."
    )
    test_loss: float | None = Field(default=None, description="The loss on the test set.")
    parameters: int | None = Field(default=None, description="How many weights the network has.")
    megabytes: float | None = Field(default=None, description="Size of the saved model.")
    why: str = Field(default="", description="A sentence on why ours may differ, where the study tells.")

    @property
    def span(self) -> tuple[float, float]:
        """The lowest and the highest printed accuracy, which mostly are one number."""
        given = self.test_accuracy
        return (given[0], given[1]) if isinstance(given, list) else (given, given)


class StudyTrial(FilePart):
    """A printed accuracy of one model at some values of its parameters."""

    model: str = Field(description="Name of the `[[search]]` that repeats it.")
    values: dict[str, int | float | str | bool] = Field(
        min_length=1, description="Parameters with their values; it is held against the trials that have all of them."
    )
    accuracy: Share = Field(description="The accuracy that the study chose by.")
    dataset: str | None = Field(default=None, description="A data set of the file; the first unless given.")
    why: str = Field(default="", description="A sentence on why ours may differ, where the study tells.")


class StudyGroup(FilePart):
    """A printed mean and sample standard deviation of the accuracy of all trials with one value of a parameter."""

    parameter: str = Field(description="A parameter that the file searches.")
    value: int | float | str | bool = Field(description="Its value in these trials.")
    mean: Share = Field(description="Mean accuracy.")
    sd: float = Field(description="Sample standard deviation of the accuracy.")
    dataset: str | None = Field(default=None, description="A data set of the file; the first unless given.")


class StudyResults(FilePart):
    """Printed results of a study that the search repeats; the report sets ours beside them."""

    study: str = Field(description="What the report calls the study.")
    chosen_on_test_set: bool = Field(
        default=False, description="Whether the study chose its models on the images that it then reported."
    )
    runs: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="How many trainings are behind a printed number."
    )
    scores: list[StudyScore] = Field(default=[], description="Printed accuracies of the compared models.")
    trials: list[StudyTrial] = Field(default=[], description="Printed accuracies of single configurations.")
    groups: list[StudyGroup] = Field(default=[], description="Printed means over all trials with one value.")


class ReportOptions(FilePart):
    """What the report shows beyond what it shows of every search. None of it takes a training."""

    pivots: list[Annotated[list[str], Field(min_length=2, max_length=2)]] = Field(
        default=[],
        description='Pairs of parameters, `"model"` being one, each with a table of the best score by their values.',
    )
    curves: str | None = Field(
        default=None, description="A parameter for a figure of learning curves with a curve for each of its values."
    )
    reach: list[Annotated[float, Field(gt=0, lt=1)]] = Field(
        default=[], description="Accuracies: the report tells the epochs, and the time, to each."
    )
    matters: Annotated[float, Field(gt=0, lt=1)] = Field(
        default=0.005,
        description="From which difference of test accuracies on it matters which of two models one takes.",
    )
