"""What a server of workers imports before it forks the first of them: all that trains.

What is there then stays. No worker looks through it for garbage, which would copy the memory that it shares with the
server.
"""

from __future__ import annotations

import gc
import importlib

from tuner.system.interrupts import INTERRUPTS

with INTERRUPTS.importing():
    importlib.import_module("tuner.worker.training")
gc.freeze()
