"""The reference of `import tuner`, `docs/api.md`, written from the signatures and docstrings of what is public.

`python -m tuner.api.reference` (or `make docs`) writes it again; a test compares it with what is committed.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import tuner
from tuner.api.displays import Display
from tuner.system.files import write_whole

#: Where the reference is committed.
PAGE = Path("docs/api.md")
#: Characters of a line; a longer signature has a line for each argument.
MOST = 120

_HEAD = """# `import tuner`

Every public function and display. This page is written by `make docs` from their docstrings; how they are used
together: [search from a script or a notebook](how-to.md#search-from-a-script-or-a-notebook). `found` and `name` are
what `tuner.run` returned, a search as `tuner.load_search` returns it, or the name or the path of one that ran.
"""
_SECTION = re.compile(r"^(Args|Raises|Attributes):\n((?:    .*\n?|\n)+)", re.MULTILINE)


def reference() -> str:
    """Return the page as markdown."""
    public = {name: getattr(tuner, name) for name in tuner.__all__}
    functions = [(name, value) for name, value in public.items() if inspect.isfunction(value)]
    displays = [(name, value) for name, value in public.items() if name.endswith("Display")]
    parts = [_HEAD, "## Functions"]
    for name, function in functions:
        parts += [f"### `{name}`", *_of(f"tuner.{name}", function)]
    parts += ["## Displays", *_explained(Display), "### `plot`", *_of("display.plot", Display.plot)]
    for name, display in displays:
        parts += [f"### `{name}`", *_explained(display), *_of(f"tuner.{name}.from_findings", display.from_findings)]
    parts += ["## Errors", "### `TunerError`", *_explained(public["TunerError"])]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _of(called: str, function: Callable[..., Any]) -> Iterator[str]:
    """Yield how a function is called, and what its docstring says."""
    signature = inspect.signature(function)
    named = [item for item in signature.parameters.values() if item.name not in ("self", "cls")]
    short = [item.replace(annotation=inspect.Parameter.empty) for item in named]
    arguments = str(signature.replace(parameters=short, return_annotation=inspect.Signature.empty))
    if len(called + arguments) > MOST:
        arguments = "(\n    " + arguments[1:-1].replace(", ", ",\n    ") + ",\n)"
    yield f"```text\n{called}{arguments}\n```"
    yield from _explained(function)


def _explained(thing: Any) -> list[str]:
    """Return a docstring as paragraphs and lists."""
    text = inspect.cleandoc(thing.__doc__ or "") + "\n"
    parts = [_SECTION.sub("", text).strip()]
    for heading, body in _SECTION.findall(text):
        items = re.findall(r"^    (\w+): (.*(?:\n     +.*)*)", body, re.MULTILINE)
        if heading == "Raises":
            parts.append("\n".join(f"- raises `{name}`: {_line(what)}" for name, what in items))
        else:
            parts.append("\n".join(f"- `{name}`: {_line(what)}" for name, what in items))
    return [part for part in parts if part]


def _line(text: str) -> str:
    return re.sub(r"\s*\n\s*", " ", text)


if __name__ == "__main__":
    write_whole(PAGE, lambda path: path.write_text(reference(), encoding="utf-8"))
