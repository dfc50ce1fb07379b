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

    smoothing, gamma = _asked(values)
    if not smoothing and gamma is None:
        return keras.losses.SparseCategoricalCrossentropy()

    class OfWholeNumbers(keras.losses.Loss):  # type: ignore[misc]  # Keras has no types
        """Keras' own functions for these losses, which take one-hot labels alone."""

        def call(self, labels: Any, probabilities: Any) -> Any:
            hot = keras.ops.one_hot(keras.ops.cast(keras.ops.reshape(labels, (-1,)), "int32"), probabilities.shape[-1])
            return _of_rows(hot, probabilities, smoothing, gamma)

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), **_told(smoothing, gamma)}

    return OfWholeNumbers(name="smoothed_crossentropy" if gamma is None else "focal_crossentropy")


def make_loss_of_shares(values: Values) -> keras.losses.Loss:
    """Return the same loss of rows that say how much an image counts as each class, `(n, classes)`.

    An image's loss is the sum over its classes of the loss that it would have as that class, times that number: a
    mixed image with class weights counts as its parts would.
    """
    import keras

    smoothing, gamma = _asked(values)

    class OfShares(keras.losses.Loss):  # type: ignore[misc]  # Keras has no types
        """Keras' own functions for these losses, of rows whose sum need not be 1."""

        def call(self, shares: Any, probabilities: Any) -> Any:
            counts = keras.ops.sum(shares, axis=-1, keepdims=True)
            targets = keras.ops.cast(shares / counts, probabilities.dtype)
            return keras.ops.squeeze(counts, -1) * _of_rows(targets, probabilities, smoothing, gamma)

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), **_told(smoothing, gamma)}

    return OfShares(name="crossentropy_of_shares")


def _asked(values: Values) -> tuple[float, float | None]:
    """Return how much targets are smoothed, and the gamma of a focal loss; None for cross-entropy."""
    focal = values.get("loss", "cross_entropy") == "focal"
    return float(values.get("label_smoothing", 0.0)), float(values["focal_gamma"]) if focal else None


def _of_rows(targets: Any, probabilities: Any, smoothing: float, gamma: float | None) -> Any:
    import keras

    if gamma is None:
        return keras.losses.categorical_crossentropy(targets, probabilities, label_smoothing=smoothing)
    return keras.losses.categorical_focal_crossentropy(
        targets, probabilities, alpha=1.0, gamma=gamma, label_smoothing=smoothing
    )


def _told(smoothing: float, gamma: float | None) -> dict[str, Any]:
    return {"label_smoothing": smoothing, **({} if gamma is None else {"gamma": gamma})}
