"""Packages that only some uses of the tool need: extras in the words of pip."""

from __future__ import annotations

import importlib.util

from tuner.errors import InputError


def needs(place: str, tool: str, extra: str, *modules: str) -> None:
    """See that the packages behind an option are installed, without importing them.

        needs("--to", "Optuna", "optuna", "optuna")

    Args:
        place: the option or key that asks for them.
        tool: what they are called in a sentence.
        extra: the extra of this package's that brings them.
        modules: what is imported of them.

    Raises:
        InputError: one of them is not installed.
    """
    if any(importlib.util.find_spec(module) is None for module in modules):
        raise InputError(place, f"{tool} is not installed", f"install it: pip install 'tunetable[{extra}]'")
