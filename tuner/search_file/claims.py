"""What a study says of its results, as a search file holds it: a claim in a sentence, and how ours is to answer it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

#: A model of the comparison, or a value of a parameter.
Name = str | int | float | bool
#: What claims are about; each is higher for the first of an order.
By = Literal["accuracy", "loss", "gap", "roughness", "epochs", "gradient", "seconds"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Gain(_Part):
    """A model's lead over another that is larger on one data set than on a second one."""

    model: str = Field(description="The model that leads.")
    over: str = Field(description="The model that it leads.")
    on: str = Field(description="The data set on which it leads by more.")
    than: str = Field(description="The data set on which it leads by less.")


class Claim(_Part):
    """A sentence of a study, and how ours is to answer it: exactly one of `order` to `open` says so."""

    says: str = Field(min_length=1, description="The claim, in a sentence.")
    order: Annotated[list[Name], Field(min_length=2)] | None = Field(
        default=None,
        description="Models, or values of `parameter`, the highest first: each is to be above all behind it.",
    )
    best: Name | None = Field(default=None, description="A model, or a value of `parameter`, above every other one.")
    at_least: Annotated[list[Name], Field(min_length=2, max_length=2)] | None = Field(
        default=None, description="Two of them, the first of which is as good as the second, or better."
    )
    alike: Annotated[list[Name], Field(min_length=2)] | None = Field(
        default=None, description="Models, or values of `parameter`, that differ by less than matters."
    )
    gains: Gain | None = Field(
        default=None, description="A lead that is larger on one data set: `{ model, over, on, than }`."
    )
    flattered: str | None = Field(
        default=None, description="A model whose score, as it was chosen, is above what its retrainings reach."
    )
    at_chance: bool = Field(default=False, description="Whether some trials never leave chance.")
    elsewhere: str | None = Field(default=None, description="The search whose report answers it.")
    open: str | None = Field(default=None, description="Why no search can answer it.")
    by: By = Field(
        default="accuracy",
        description="What is compared: `accuracy`, the test `loss`, the `gap` of training and validation accuracy, the "
        "`roughness` of the training loss by epoch, the `epochs` to the training accuracy `reach`, the `gradient` "
        "that reaches the first watched layer before training, or the `seconds` of an epoch.",
    )
    parameter: str | None = Field(
        default=None, description="The parameter whose values are compared, over the trials that have them."
    )
    where: dict[str, Name] = Field(
        default={},
        description="Values that these trials have of other parameters, so that nothing else differs between them.",
    )
    model: str | None = Field(default=None, description="The model whose trials alone these are; else all.")
    dataset: str | None = Field(default=None, description="A data set of the file; the first unless given.")
    reach: Annotated[float, Field(gt=0, lt=1)] | None = Field(default=None, description="The accuracy of `epochs`.")
    why: str = Field(default="", description="A sentence on the claim, or on ours, that the report should add.")

    @model_validator(mode="after")
    def _says_how(self) -> Claim:
        asked = [name for name in HOW if getattr(self, name) not in (None, False)]
        if len(asked) != 1:
            told = " and ".join(asked) or "none"
            raise ValueError(f"needs exactly one of {', '.join(HOW)}, and has {told}")
        if (self.by == "epochs") != (self.reach is not None):
            raise ValueError('needs reach where by = "epochs", and there alone')
        if self.parameter is not None and self.by not in ("accuracy", "gap", "roughness"):
            raise ValueError(f"cannot compare the values of a parameter by {self.by}")
        if self.where and self.parameter is None:
            raise ValueError("has where, which goes with parameter alone")
        if self.parameter in self.where:
            raise ValueError(f"compares the values of {self.parameter}, which where fixes")
        if self.model is not None and self.parameter is None:
            raise ValueError("has a model, which goes with parameter alone")
        if (self.alike and self.by != "accuracy") or (self.at_least and self.by != "accuracy"):
            raise ValueError(f"cannot tell how far apart matters by {self.by}")
        return self

    @property
    def how(self) -> str:
        """The key that says how it is answered."""
        return next(name for name in HOW if getattr(self, name) not in (None, False))

    @property
    def named(self) -> list[Name]:
        """The models, or values, that it names."""
        if self.best is not None:
            return [self.best]
        return list(self.order or self.at_least or self.alike or ())


#: The keys of a claim that say how ours answers it.
HOW = ("order", "best", "at_least", "alike", "gains", "flattered", "at_chance", "elsewhere", "open")
