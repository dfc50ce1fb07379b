"""A recipe as its parts take it: every parameter with its default, or with what a test gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import keras
import pytest

from tuner.recipe import RECIPE
from tuner.space.space import Configuration, read_space

Recipe = Callable[..., Configuration]


@pytest.fixture
def recipe() -> Recipe:
    def of(**given: object) -> Configuration:
        (values,) = read_space(given, {}, RECIPE, {}).grid()
        return values

    return of


@pytest.fixture
def float32_afterwards() -> Iterator[None]:
    yield
    keras.config.set_dtype_policy("float32")
