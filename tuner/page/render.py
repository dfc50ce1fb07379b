"""The page's file: template, style, scripts and data put together, with a policy that lets nothing else run."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from tuner.page.content import Part

#: The plotting library, as its makers published it: npm's echarts-6.1.0.tgz, dist/echarts.min.js.
ECHARTS_VERSION = "6.1.0"
ECHARTS_SHA256 = "b66b25aeb4df84e33199dc21694014d336d222cbd9deb0e5a7c14bd6aa0d0fd0"
#: Its file beside the reports, which their pages share; by its version, so that pages of another one keep theirs.
LIBRARY = f"echarts-{ECHARTS_VERSION}.min.js"
#: The page's own modules, each after those that it imports.
MODULES = (
    "dom.js", "data.js", "store.js", "selection.js", "touch.js", "arrows.js", "charts.js", "saving.js", "figure.js",
    "legend.js", "zoom.js", "words.js", "filters.js", "marks.js", "arrange.js", "scores.js", "toml.js", "drawer.js",
    "parallel.js", "progress.js", "table.js", "pair.js", "importance.js", "slices.js", "learning.js", "roc.js",
    "tiles.js", "confusion.js", "oneclass.js", "cost.js", "timeline.js", "selectionbar.js", "main.js",
)  # fmt: skip
_IMPORT = re.compile(r"""^import (\{.*?\}) from "\./(.+?)";$""", re.MULTILINE | re.DOTALL)
#: What could end a block of data, or a line of a script, inside a text; JSON may write each as its number.
_UNSAFE = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}


@dataclass(frozen=True)
class Live:
    """What a page has beside the report that it is of: a first part, with its style and the script that keeps it."""

    part: Part
    style: str
    script: str


def render(
    title: str, parts: Sequence[Part], blocks: Mapping[str, Any], single_file: bool, live: Live | None = None
) -> str:
    """Return the page.

    Args:
        title: of the search.
        parts: what stands in the HTML.
        blocks: data by the name of their block, as JSON can hold them.
        single_file: hold the plotting library, instead of a link to `LIBRARY` in the folder above the page; `parts`
            hold their pictures then.
        live: what a page that is served has beside it; its script may ask the server that the page came from.
    """
    own = script()
    parts = [*([live.part] if live else []), *parts]
    # A script of another file cannot be allowed by its hash on a page that was opened from the disk. This page has
    # but one such script, and text from elsewhere stands in it as text.
    held = f"<script>{plotting_library()}</script>" if single_file else f'<script src="../{LIBRARY}"></script>'
    library = allowed(plotting_library()) if single_file else "'self'"
    pictures = "data:" if single_file else "'self' data:"
    beside = f" {allowed(live.script)}; connect-src 'self'" if live else ""
    policy = (
        f"default-src 'none'; img-src {pictures}; style-src 'unsafe-inline'; "
        f"script-src {library} {allowed(own)}{beside}; base-uri 'none'; form-action 'none'"
    )
    return Template(asset("page.html")).substitute(
        title=escape(title),
        running=_css_text(title),
        back="" if single_file or live else '<p class="back"><a href="../index.html">All reports</a></p>',
        policy=policy,
        style=asset("page.css") + (live.style if live else ""),
        links="".join(f'<li><a href="#{name}">{heading}</a></li>' for name, heading, _ in parts),
        parts="\n".join(_part(*part) for part in parts),
        blocks="\n".join(_block(name, content) for name, content in blocks.items()),
        library=held,
        library_file=LIBRARY,
        version=ECHARTS_VERSION,
        script=own,
        live=f"<script>{live.script}</script>\n" if live else "",
    )


@cache
def plotting_library() -> str:
    """Return the plotting library's script, a megabyte, which the package holds packed."""
    packed = files("tuner.page").joinpath("assets", "echarts.min.js.gz").read_bytes()
    return gzip.decompress(packed).decode("utf-8")


def _part(name: str, heading: str, body: str) -> str:
    return f'<section id="{name}" aria-labelledby="{name}-head"><h2 id="{name}-head">{heading}</h2>\n{body}</section>'


def _block(name: str, content: Any) -> str:
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).translate(_UNSAFE)
    return f'<script type="application/json" id="{name}">{text}</script>'


def _css_text(text: str) -> str:
    """Return a text as it can stand between quotes in a style sheet: what is no letter or digit by its number."""
    return "".join(char if char.isalnum() or char == " " else f"\\{ord(char):x} " for char in text)


def allowed(code: str) -> str:
    """Return what a page's policy calls a script by that it lets run."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'"


@cache
def asset(name: str) -> str:
    """Return a file of the page's own folder as text."""
    return files("tuner.page").joinpath("assets", name).read_text(encoding="utf-8")


@cache
def script() -> str:
    """Return the page's modules as one script, each in a function of its own that returns what the module exports.

    The modules keep to one form: `import { a, b } from "./x.js";` and `export` before `function` and `const`.
    """
    parts = []
    for name in MODULES:
        code = _IMPORT.sub(r'const \1 = modules["\2"];', asset(name))
        exported = ", ".join(re.findall(r"^export (?:function|const) (\w+)", code, flags=re.MULTILINE))
        code = re.sub(r"^export ", "", code, flags=re.MULTILINE)
        parts.append(f'modules["{name}"] = (() => {{\n{code}return {{ {exported} }};\n}})();\n')
    return '"use strict";\nconst modules = {};\n' + "".join(parts)
