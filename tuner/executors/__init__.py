"""The executors by name. A new one needs its file and a line here."""

from __future__ import annotations

from tuner.executors.base import Executor, Limits, Outcome
from tuner.executors.local import LocalExecutor

EXECUTORS = {"local": LocalExecutor}

#: What a server of workers imports once, so that no trial has to: Keras, its backend, and nothing run.
PRELOAD = ("tuner.training",)

__all__ = ["EXECUTORS", "PRELOAD", "Executor", "Limits", "LocalExecutor", "Outcome"]
