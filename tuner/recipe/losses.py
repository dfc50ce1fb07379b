"""The loss: cross-entropy or focal loss on whole-number labels, its target perhaps smoothed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tuner.space.parameters import Parameter, Values

if TYPE_CHECKING:
    import keras

LOSS: tuple[Parameter, ...] = (
    Parameter(
        "loss",
        "cross_entropy",
        ("cross_entropy", "focal"),
        doc="what is learned from; `focal` lets images count less that are already right (Lin et al., 2017)",
        idle="cross_entropy",
    ),
    Parameter(
        "focal_gamma",
        2.0,
        low=0,
        high=10,
        doc="how much less: an image counts (1 − p)^gamma times, p the probability of its class",
        when=("loss", ("focal",)),
    ),
    Parameter(
        "label_smoothing", 0.0, low=0, high=0.99, doc="share of the target that is spread evenly over all classes"
    ),
)


def make_loss(values: Values) -> keras.losses.Loss:
    """Return the loss that `values` ask for, of labels `(n,)` and probabilities `(n, classes)`."""
    import keras

    smoothing = float(values["label_smoothing"])
    focal = values.get("loss", "cross_entropy") == "focal"
    if not smoothing and not focal:
        return keras.losses.SparseCategoricalCrossentropy()
    gamma = float(values["focal_gamma"]) if focal else 0.0

    class OfWholeNumbers(keras.losses.Loss):  # type: ignore[misc]  # Keras has no types
        """Keras' own functions for these losses, which take one-hot labels alone."""

        def call(self, labels: Any, probabilities: Any) -> Any:
            hot = keras.ops.one_hot(keras.ops.cast(keras.ops.reshape(labels, (-1,)), "int32"), probabilities.shape[-1])
            if focal:
                return keras.losses.categorical_focal_crossentropy(
                    hot, probabilities, alpha=1.0, gamma=gamma, label_smoothing=smoothing
                )
            return keras.losses.categorical_crossentropy(hot, probabilities, label_smoothing=smoothing)

        def get_config(self) -> dict[str, Any]:
            of_focal = {"gamma": gamma} if focal else {}
            return {**super().get_config(), "label_smoothing": smoothing, **of_focal}

    return OfWholeNumbers(name="focal_crossentropy" if focal else "smoothed_crossentropy")
