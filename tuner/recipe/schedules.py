"""Learning-rate schedules: how the rate changes while a network trains."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tuner.space.parameters import Parameter, Values

if TYPE_CHECKING:
    import keras


def parse_steps(text: str) -> list[float]:
    """Return the numbers of `schedule_steps`: epochs, as "14 29 39", or shares of the training, as "0.5 0.75".

    Raises:
        ValueError: they are no numbers above 0, or do not rise, or mix epochs and shares.
    """
    try:
        steps = [float(part) for part in text.replace(",", " ").split()]
    except ValueError:
        steps = []
    rising = all(a < b for a, b in pairwise(steps))
    shares = [0 < step < 1 for step in steps]
    whole = [step >= 1 and step.is_integer() for step in steps]
    if not steps or not rising or not (all(shares) or all(whole)):
        raise ValueError(f'{text!r} is not rising epochs ("14 29 39") or rising shares of the training ("0.5 0.75")')
    return steps


def _constant(rate: float, values: Values, epochs: int, steps: int) -> float:
    return rate


def _steps(rate: float, values: Values, epochs: int, steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
    import keras

    given = parse_steps(str(values["schedule_steps"]))
    at_epochs = [round(step * epochs) if step < 1 else int(step) for step in given]
    # Keras keeps a value up to and including its boundary, and counts steps from 0.
    boundaries = [epoch * steps - 1 for epoch in at_epochs]
    factor = float(values["schedule_factor"])
    rates = [rate * factor**i for i in range(len(boundaries) + 1)]
    return keras.optimizers.schedules.PiecewiseConstantDecay(boundaries, rates)


def _cosine(rate: float, values: Values, epochs: int, steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
    """Half a cosine from the full rate to 0 over the whole training (Loshchilov and Hutter 2017, without restarts)."""
    import keras

    return keras.optimizers.schedules.CosineDecay(rate, decay_steps=epochs * steps)


_Maker = Callable[[float, Values, int, int], Any]
#: The schedules by name: each makes a rate, or Keras' schedule, from the full rate, epochs and steps per epoch.
SCHEDULES: dict[str, _Maker] = {"constant": _constant, "steps": _steps, "cosine": _cosine}

SCHEDULE: tuple[Parameter, ...] = (
    Parameter("schedule", "constant", tuple(SCHEDULES), doc="how the learning rate changes"),
    Parameter(
        "schedule_steps",
        "0.5 0.75",
        doc='when the rate drops: epochs ("14 29 39") or shares of the training ("0.5 0.75")',
        when=("schedule", ("steps",)),
        verify=parse_steps,
    ),
    Parameter(
        "schedule_factor", 0.1, low=1e-6, high=1, doc="what each drop multiplies by", when=("schedule", ("steps",))
    ),
    Parameter("warmup_epochs", 0, low=0, high=10_000, doc="epochs in which the rate rises linearly from 0"),
)


def learning_rate(values: Values, epochs: int, steps: int) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """Return the rate that `values` ask for: a number, or a schedule over `epochs` of `steps` steps each."""
    rate = float(values["learning_rate"])
    changing = SCHEDULES[str(values.get("schedule", "constant"))](rate, values, epochs, steps)
    warmup = int(values.get("warmup_epochs", 0)) * steps
    return _warmed_up(changing, warmup) if warmup else changing


def _warmed_up(
    rate: float | keras.optimizers.schedules.LearningRateSchedule, warmup: int
) -> keras.optimizers.schedules.LearningRateSchedule:
    import keras

    class WarmUp(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]  # Keras has no types
        """The rate times the share of the warm-up that is over, from 1/warmup at the first step to 1."""

        def __call__(self, step: Any) -> Any:
            share = (keras.ops.cast(step, "float32") + 1) / warmup
            return keras.ops.minimum(share, 1.0) * (rate(step) if callable(rate) else rate)

        def get_config(self) -> dict[str, Any]:
            return {"rate": keras.saving.serialize_keras_object(rate), "warmup": warmup}

    return WarmUp()
