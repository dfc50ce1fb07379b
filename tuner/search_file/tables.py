"""The tables of a search file that say what a study printed, and what a report shows beyond every report."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from tuner.search_file.claims import Claim
from tuner.search_file.contenders import checked_limits


class FilePart(BaseModel):
    """A table of a search file: no unknown keys, no conversions."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


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
    name: str = Field(
        default="", description="How the index calls the study; reports of one name stand together there."
    )
    assumptions: list[str] = Field(
        default=[], description="Sentences on what the study left open, and what was taken instead."
    )
    claims: list[Claim] = Field(
        default=[], description="What the study says of its results; see [Claims](writing-a-search.md#claims)."
    )


#: More models at once than an ensemble is worth.
MOST_MEMBERS = 50


def _several(members: int) -> int:
    if members == 1:
        raise ValueError("is the best model alone, and no ensemble: write 2 or more, or leave it out")
    return members


class ReportOptions(FilePart):
    """What the report shows beyond what it shows of every search; `also_smaller_than` and `ensemble` take trainings."""

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
    note: str = Field(
        default="",
        description="What stands after the budget in every report, such as why it is smaller than a study's.",
    )
    thresholds: list[str] = Field(
        default=[],
        description="Classes, each told apart from the others at thresholds of its probability: which of them reach a "
        "precision or a recall on the validation images, and what they reach on the test images. Of two classes the "
        "one that trials are chosen by, or else the rarer one, needs no naming.",
    )
    also_smaller_than: Annotated[list[str], BeforeValidator(checked_limits), Field(max_length=20)] = Field(
        default=[],
        description='Sizes, such as `"1 MB"`, `"500 kB"` or `"100_000 parameters"`, one or a list of them: the best '
        "trial of each `[[search]]` below each is trained again and compared, too. A network's megabytes are those of "
        "its weights, 4 bytes each; its file is some kilobytes larger.",
    )
    ensemble: Annotated[int, AfterValidator(_several), Field(ge=0, le=MOST_MEMBERS)] = Field(
        default=0,
        description="How often a trial is taken into an ensemble, one trial perhaps several times: the mean of their "
        "probabilities is compared as a model of its own and saved as one file; 0 for none; see "
        "[Ensembles](writing-a-search.md#ensembles).",
    )
