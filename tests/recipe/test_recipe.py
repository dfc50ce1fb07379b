"""What holds of every part of a recipe: what it declares, and that its defaults change nothing."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import keras
import numpy as np
import pytest
from from_scratch import FROM_SCRATCH

from tuner.errors import InputError
from tuner.families import FAMILIES
from tuner.recipe import COMPILED, RECIPE, Stopping, augmenter, compile_network, steps_per_epoch, use_precision
from tuner.recipe.augmentation import AUGMENTATION
from tuner.recipe.losses import LOSS
from tuner.recipe.optimizers import OPTIMIZER
from tuner.recipe.schedules import SCHEDULE
from tuner.recipe.stopping import STOPPING
from tuner.space.parameters import Parameter
from tuner.space.space import read_space

#: Trials are named by a hash of these, so that another default is another trial.
DEFAULTS = {
    "optimizer": "rmsprop",
    "learning_rate": 1e-3,
    "momentum": 0.0,
    "nesterov": False,
    "weight_decay": 0.0,
    "batch_size": 64,
    "schedule": "constant",
    "schedule_steps": "0.5 0.75",
    "schedule_factor": 0.1,
    "warmup_epochs": 0,
    "label_smoothing": 0.0,
    "early_stopping": "off",
    "patience": 5,
    "flip": "none",
    "rotation": 0.0,
    "crop": 0,
    "shift": 0.0,
    "zoom": 0.0,
    "precision": "float32",
    **dict.fromkeys(("brightness", "contrast", "saturation", "hue", "grey", "rand_augment", "erasing"), 0.0),
    **dict.fromkeys(("mixup", "cutmix"), 0.0),
}


def test_the_defaults_are_those_that_trials_are_named_by() -> None:
    ours = {parameter.name: parameter.default for parameter in RECIPE}
    assert {name: ours[name] for name in DEFAULTS} == DEFAULTS


def test_every_part_is_in_the_recipe_and_no_name_is_there_twice() -> None:
    names = [parameter.name for parameter in RECIPE]
    assert len(set(names)) == len(names)
    assert {p.name for part in (OPTIMIZER, SCHEDULE, LOSS, STOPPING, AUGMENTATION) for p in part} <= set(names)
    assert {p.name for p in COMPILED} <= set(names)


@pytest.mark.parametrize("parameter", RECIPE, ids=lambda parameter: parameter.name)
def test_every_parameter_is_explained_and_takes_its_default_and_its_choices(parameter: Parameter) -> None:
    assert parameter.doc
    for value in (parameter.default, *parameter.choices):
        assert parameter.check(value) == value


@pytest.mark.parametrize("parameter", [p for p in RECIPE if p.when], ids=lambda parameter: parameter.name)
def test_every_condition_names_an_earlier_parameter_and_values_of_its(parameter: Parameter) -> None:
    assert parameter.when is not None
    parent, values = parameter.when
    earlier = {p.name: p for p in RECIPE[: RECIPE.index(parameter)]}
    assert [earlier[parent].check(value) for value in values] == list(values)


def test_the_parameters_that_matter_are_those_of_what_is_switched_on(recipe: Any) -> None:
    conditional = {"momentum", "nesterov", "schedule_steps", "schedule_factor", "patience"}
    assert conditional.isdisjoint(recipe(optimizer="adam"))
    assert conditional <= set(recipe(optimizer="sgd", schedule="steps", early_stopping="val_loss"))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"schedule": "step"}, "space.schedule: 'step' is not one of constant, steps, cosine"),
        ({"label_smoothing": 1.0}, "space.label_smoothing: 1.0 is outside 0 to 0.99"),
        ({"patience": 0}, "space.patience: 0 is outside 1 to"),
        ({"flip": "diagonal"}, "space.flip: 'diagonal' is not one of none, horizontal, vertical, both"),
        ({"precision": "float16"}, "space.precision: 'float16' is not one of float32, mixed_bfloat16"),
        ({"mixup": 2.0}, "space.mixup: 2.0 is outside 0 to 1"),
        ({"saturation": 1.0}, "space.saturation: 1.0 is outside 0 to 0.9"),
        ({"warmup_epoch": 1}, "did you mean 'warmup_epochs'?"),
    ],
)
def test_what_is_not_taken_is_refused_with_what_is(recipe: Any, given: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as caught:
        recipe(**given)
    assert message in str(caught.value)


def test_the_defaults_train_as_keras_does_where_nothing_is_asked_for(recipe: Any) -> None:
    values = recipe()
    network = FAMILIES["ann"].network({**ann(), **values}, (4, 4, 1), 3)
    compile_network(network, values, 10, 7)
    assert type(network.optimizer).__name__ == "RMSprop"
    assert not isinstance(network.optimizer._learning_rate, keras.optimizers.schedules.LearningRateSchedule)
    assert type(network.loss) is keras.losses.SparseCategoricalCrossentropy
    assert augmenter(values, (4, 4, 1), 0) is None
    assert Stopping(values).watched == ""
    assert network.dtype_policy.name == "float32"


def ann(**given: object) -> dict[str, object]:
    (values,) = read_space({"dense_units": 5, **given}, {}, FAMILIES["ann"].parameters, {}).grid()
    return dict(values)


@pytest.mark.parametrize(("images", "batch", "steps"), [(100, 50, 2), (101, 50, 3), (1, 64, 1), (64, 64, 1)])
def test_the_last_step_of_an_epoch_may_be_smaller(images: int, batch: int, steps: int) -> None:
    assert steps_per_epoch(images, batch) == steps


def test_declaring_a_recipe_does_not_import_keras() -> None:
    code = "import sys, tuner.recipe, tuner.families; sys.exit('keras' in sys.modules or 'tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- precision ---


@pytest.mark.usefixtures("float32_afterwards")
@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("family", FROM_SCRATCH)
def test_networks_of_mixed_precision_keep_weights_and_probabilities_in_32_bits(
    recipe: Any, family: str, precision: str
) -> None:
    use_precision(recipe(precision=precision))
    (values,) = read_space({}, {}, FAMILIES[family].parameters, {"width": 0.5, "depth": 8, "dense_units": 8}).grid()
    network = FAMILIES[family].network(values, (16, 16, 1), 3)
    assert {layer.dtype_policy.name for layer in network.layers[1:-1]} == {precision}
    assert {variable.dtype for variable in network.weights} == {"float32"}
    probabilities = keras.ops.convert_to_numpy(network(np.full((2, 16, 16, 1), 255, np.uint8)))
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)


@pytest.mark.usefixtures("float32_afterwards")
@pytest.mark.parametrize(
    ("precision", "scaled"), [("float32", False), ("mixed_bfloat16", False), ("mixed_float16", True)]
)
def test_the_loss_is_scaled_where_gradients_have_16_bits_and_a_small_range(
    recipe: Any, precision: str, scaled: bool
) -> None:
    values = recipe(precision=precision)
    use_precision(values)
    network = FAMILIES["ann"].network({**ann(), **values}, (4, 4, 1), 3)
    compile_network(network, values)
    assert isinstance(network.optimizer, keras.optimizers.LossScaleOptimizer) is scaled


@pytest.mark.usefixtures("float32_afterwards")
def test_the_precision_of_one_trial_is_not_that_of_the_next(recipe: Any) -> None:
    use_precision(recipe(precision="mixed_bfloat16"))
    use_precision(recipe())
    assert keras.config.dtype_policy().name == "float32"
