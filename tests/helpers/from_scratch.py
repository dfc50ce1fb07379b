"""The families whose networks are trained from random weights; `pretrained` has tests of its own."""

from __future__ import annotations

from tuner.families import FAMILIES
from tuner.families.base import Family
from tuner.families.pretrained import Pretrained

FROM_SCRATCH: dict[str, Family] = {name: one for name, one in FAMILIES.items() if not isinstance(one, Pretrained)}
