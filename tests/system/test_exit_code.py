"""The exit code of a process that something ends past Python, as Ray's health does where Ray has died."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import atexit, os, sys
from tuner.system.exit_code import exit_code, noting_exit
atexit.register(lambda: os._exit(exit_code()))
with noting_exit():
    {}
"""


@pytest.mark.parametrize(
    ("ends", "code"),
    [
        ("pass", 0), ("sys.exit()", 0), ("sys.exit(0)", 0), ("sys.exit(1)", 1), ("sys.exit(130)", 130),
        ("sys.exit('why')", 1), ("raise ValueError", 1),
    ],
)  # fmt: skip
def test_is_the_one_that_python_would_have_given(ends: str, code: int) -> None:
    script = SCRIPT.format(ends)
    plain = script.replace("os._exit(exit_code())", "None")
    for program in (script, plain):
        assert subprocess.run([sys.executable, "-c", program], capture_output=True, check=False).returncode == code


def test_rays_health_leaves_with_it() -> None:
    pytest.importorskip("ray")
    script = (
        "import sys\n"
        "from unittest.mock import Mock\n"
        "from tuner.executors import ray_health\n"
        "from tuner.system.exit_code import noting_exit\n"
        "health = ray_health.RayHealth.__new__(ray_health.RayHealth)\n"
        "health._node = Mock()\n"
        "health.leave(Mock())\n"
        "with noting_exit():\n"
        "    sys.exit({})\n"
    )
    for code in (0, 1):
        ran = subprocess.run([sys.executable, "-c", script.format(code)], capture_output=True, text=True, check=False)
        assert ran.returncode == code, ran.stderr
