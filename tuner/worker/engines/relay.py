"""Passing on to callbacks of the user's own what Keras tells while it fits an epoch at a time. Imports Keras."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from tuner.errors import TrialError, one_line


class Relay(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Lets callbacks see one training of all epochs where there is a `fit` for each of them.

    Args:
        callbacks: of the user's own.
        epochs: how many the training has.
    """

    def __init__(self, callbacks: Sequence[keras.callbacks.Callback], epochs: int) -> None:
        super().__init__()
        self._callbacks, self._epochs = callbacks, epochs
        self._begun = self._ended = False

    def set_params(self, params: dict[str, Any]) -> None:
        """Tell the number of all epochs."""
        super().set_params(params)
        for callback in self._callbacks:
            callback.set_params({**params, "epochs": self._epochs})

    def set_model(self, model: keras.Model) -> None:
        """Tell the network."""
        super().set_model(model)
        for callback in self._callbacks:
            callback.set_model(model)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Tell of the first beginning alone."""
        if not self._begun:
            self._begun = True
            self._tell("on_train_begin", logs)

    def end(self, logs: dict[str, Any] | None = None) -> None:
        """Tell that the training has ended, once."""
        if self._begun and not self._ended:
            self._ended = True
            self._tell("on_train_end", logs)

    def _tell(self, hook: str, *told: Any) -> None:
        for callback in self._callbacks:
            try:
                getattr(callback, hook)(*told)
            except Exception as error:
                problem = f"the callback {type(callback).__name__} raised {one_line(error, 200)} in {hook}"
                raise TrialError(problem) from error


def _passed_on(hook: str) -> Any:
    def pass_on(self: Relay, *told: Any, **named: Any) -> None:
        self._tell(hook, *told, *named.values())

    return pass_on


for _hook in (
    "on_epoch_begin", "on_epoch_end", "on_train_batch_begin", "on_train_batch_end", "on_test_begin", "on_test_end",
    "on_test_batch_begin", "on_test_batch_end",
):  # fmt: skip
    setattr(Relay, _hook, _passed_on(_hook))
