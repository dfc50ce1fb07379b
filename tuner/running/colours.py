"""Whether a search that varies colours has any: grey images are told before anything is trained."""

from __future__ import annotations

from tuner.datasets.base import Shape
from tuner.datasets.remarks import number_of
from tuner.errors import InputError
from tuner.recipe.augmentation import OF_COLOURS
from tuner.search_file.model import Search
from tuner.space.parameters import Choice


def check_colours(search: Search, name: str, shape: Shape) -> None:
    """See that a data set whose colours are varied has colours.

    Raises:
        InputError: its images are grey.
    """
    if shape[2] == 3:
        return
    for model_search in search.model_searches:
        for parameter in OF_COLOURS:
            domain = model_search.space.domains.get(parameter)
            most = 0 if domain is None else max(domain.values) if isinstance(domain, Choice) else domain.high
            if most:
                problem = f"is about colours, and the images of {name} have {number_of(shape[2], 'channel')}"
                remedy = "leave it out, or set channels = 3" if shape[2] == 1 else "leave it out"
                raise InputError(f"{search.place} {parameter}", problem, remedy)
