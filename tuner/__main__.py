"""`python -m tuner`, and the command `tuner`."""

from __future__ import annotations

from typing import NoReturn

from tuner.system.exit_code import noting_exit
from tuner.system.interrupts import INTERRUPTS, leave
from tuner.system.streams import hold


def main() -> NoReturn:
    """Run the command line; a signal while it is being imported ends it without a traceback, too."""
    hold()
    with INTERRUPTS.heeded():
        try:
            with INTERRUPTS.importing():
                from tuner.cli import main as command_line
        except KeyboardInterrupt:
            leave()
        with noting_exit():
            command_line()


if __name__ == "__main__":
    main()
