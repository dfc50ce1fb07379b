"""The recipe: how a network is trained. Its parameters can be searched like those of the network.

`optimizers.py`, `schedules.py`, `losses.py`, `imbalance.py`, `stopping.py`, `augmentation.py` and `mixing.py` each
declare their parameters and what comes of them; a new variant is a line in the table of its file. Free of Keras until
something is made.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from tuner.recipe.augmentation import AUGMENTATION, augmenter
from tuner.recipe.imbalance import IMBALANCE, class_weights, unknown_class
from tuner.recipe.losses import LOSS, make_loss
from tuner.recipe.mixing import MIXING, Mixing, mixing
from tuner.recipe.optimizers import OPTIMIZER, make_optimizer
from tuner.recipe.schedules import SCHEDULE, learning_rate
from tuner.recipe.stopping import STOPPING, Stopping
from tuner.space.parameters import Parameter, Values

if TYPE_CHECKING:
    import keras

__all__ = [
    "COMPILED",
    "RECIPE",
    "VARIATION",
    "Mixing",
    "Stopping",
    "augmenter",
    "class_weights",
    "compile_network",
    "left_to_build",
    "mixing",
    "steps_per_epoch",
    "unknown_class",
    "use_precision",
]

BATCH_SIZE = Parameter("batch_size", 64, (32, 64, 128), low=1, high=1 << 20, doc="images per step")
PRECISION = Parameter(
    "precision",
    "float32",
    ("float32", "mixed_bfloat16", "mixed_float16"),
    doc="Keras' dtype policy in training; the saved model computes in float32",
)
#: The part of a recipe that `compile` knows; the rest belongs to the loop that trains.
COMPILED: tuple[Parameter, ...] = (*OPTIMIZER, *LOSS)
#: The parameters of a recipe; `[training]` fixes them, `[search.space]` searches them.
RECIPE: tuple[Parameter, ...] = (
    *OPTIMIZER,
    BATCH_SIZE,
    *SCHEDULE,
    *LOSS,
    *STOPPING,
    *AUGMENTATION,
    PRECISION,
    *IMBALANCE,
    *MIXING,
)
#: The parameters by which training images differ from epoch to epoch; all at 0 or "none" where they do not.
VARIATION: tuple[Parameter, ...] = (*AUGMENTATION, *MIXING)

#: The names of the parts of a recipe that say how a network is optimized, how the rate changes, and what the loss is.
OF_OPTIMIZER = tuple(parameter.name for parameter in OPTIMIZER)
OF_SCHEDULE = tuple(parameter.name for parameter in SCHEDULE)
OF_LOSS = tuple(parameter.name for parameter in LOSS)
#: The names of all that `build(hp)` decides where it compiles its network.
OF_COMPILE = (*OF_OPTIMIZER, *OF_SCHEDULE, *OF_LOSS)


def left_to_build(named: Collection[str], fits: bool = False) -> frozenset[str]:
    """Return the parts of the recipe that a user's `build(hp)` decides where it compiles its network.

    Args:
        named: the keys that the search file names, whose values take the place of what `build` compiles.
        fits: whether it trains by a `fit` of its own, too, which then has its own size of batches.
    """
    return frozenset((*OF_COMPILE, *([BATCH_SIZE.name] if fits else []))) - frozenset(named)


def steps_per_epoch(images: int, batch_size: int) -> int:
    """Return how many steps an epoch over so many images takes; the last one may be smaller."""
    return -(-images // batch_size)


def compile_network(network: keras.Model, values: Values, epochs: int = 1, steps: int = 1) -> None:
    """Compile `network` with the recipe in `values`: optimizer with its schedule, cross-entropy, accuracy.

    Args:
        network: takes raw pixels, gives a probability per class; its labels are whole numbers.
        values: a value for every active parameter in `COMPILED`, and in `SCHEDULE` where the rate changes.
        epochs: how many epochs a schedule spans.
        steps: how many steps an epoch has.
    """
    optimizer = make_optimizer(values, learning_rate(values, epochs, steps))
    network.compile(optimizer=optimizer, loss=make_loss(values), metrics=["accuracy"])


def use_precision(values: Values) -> None:
    """Let the layers that this process builds from now on compute in the recipe's precision."""
    import keras

    keras.config.set_dtype_policy(str(values["precision"]))
