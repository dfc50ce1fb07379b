"""The loss: cross-entropy on whole-number labels, its target perhaps smoothed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tuner.space.parameters import Parameter, Values

if TYPE_CHECKING:
    import keras

LOSS: tuple[Parameter, ...] = (
    Parameter(
        "label_smoothing", 0.0, low=0, high=0.99, doc="share of the target that is spread evenly over all classes"
    ),
)


def make_loss(values: Values) -> keras.losses.Loss:
    """Return the loss that `values` ask for, of labels `(n,)` and probabilities `(n, classes)`."""
    import keras

    smoothing = float(values["label_smoothing"])
    if not smoothing:
        return keras.losses.SparseCategoricalCrossentropy()

    class Smoothed(keras.losses.Loss):  # type: ignore[misc]  # Keras has no types
        """Keras' smoothed cross-entropy, which takes one-hot labels alone."""

        def call(self, labels: Any, probabilities: Any) -> Any:
            hot = keras.ops.one_hot(keras.ops.cast(keras.ops.reshape(labels, (-1,)), "int32"), probabilities.shape[-1])
            return keras.losses.categorical_crossentropy(hot, probabilities, label_smoothing=smoothing)

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "label_smoothing": smoothing}

    return Smoothed(name="smoothed_crossentropy")
