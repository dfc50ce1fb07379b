"""`python -m tuner`, and the command `tuner`."""

from __future__ import annotations

from typing import NoReturn

from tuner.interrupts import leave


def main() -> NoReturn:
    """Run the command line; Ctrl-C while it is being imported ends it without a traceback, too."""
    try:
        from tuner.cli import main as command_line
    except KeyboardInterrupt:
        leave()
    command_line()


if __name__ == "__main__":
    main()
