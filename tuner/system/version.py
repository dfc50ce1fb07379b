"""The version of the package, in a module that imports nothing: workers record it, and `tuner --version` prints it."""

__version__ = "0.1.0"
