"""The files that pages share: their style, their script and the plotting library, which lie once beside the reports.

Each is named by what is in it, so that pages of different versions keep their own.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from functools import cache
from importlib.resources import files

#: The plotting library, as its makers published it: npm's echarts-6.1.0.tgz, dist/echarts.min.js.
ECHARTS_VERSION = "6.1.0"
ECHARTS_SHA256 = "b66b25aeb4df84e33199dc21694014d336d222cbd9deb0e5a7c14bd6aa0d0fd0"
#: Its file beside the reports; the other two are named by a hash of what is in them.
LIBRARY = f"echarts-{ECHARTS_VERSION}.min.js"
#: The page's own modules, each after those that it imports.
MODULES = (
    "dom.js", "data.js", "store.js", "selection.js", "touch.js", "arrows.js", "charts.js", "saving.js", "figure.js",
    "legend.js", "zoom.js", "words.js", "filters.js", "marks.js", "arrange.js", "scores.js", "toml.js", "drawer.js",
    "parallel.js", "progress.js", "table.js", "pair.js", "importance.js", "slices.js", "learning.js", "roc.js",
    "tiles.js", "confusion.js", "oneclass.js", "cost.js", "timeline.js", "selectionbar.js", "main.js",
)  # fmt: skip
_IMPORT = re.compile(r"""^import (\{.*?\}) from "\./(.+?)";$""", re.MULTILINE | re.DOTALL)
#: Names of files that this or another version wrote for pages to share.
_OURS = re.compile(r"(?:echarts-[0-9.]+[.]min|page-[0-9a-f]{16})[.](?:js|css)")


def shared_files() -> dict[str, str]:
    """Return what lies beside the reports for their pages to share, by the names of the files."""
    return {LIBRARY: plotting_library(), script_file(): script(), style_file(): asset("page.css")}


def is_shared_file(name: str) -> bool:
    """Return whether a file beside the reports is one of ours that pages share, of whatever version."""
    return _OURS.fullmatch(name) is not None


def reference(name: str) -> str:
    """Return how a page refers to a file that it shares: its address, in the quotes of an attribute."""
    return f'"../{name}"'


def script_file() -> str:
    """Return the name of the file that holds the page's script."""
    return f"page-{_hash(script())}.js"


def style_file() -> str:
    """Return the name of the file that holds the page's style."""
    return f"page-{_hash(asset('page.css'))}.css"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@cache
def plotting_library() -> str:
    """Return the plotting library's script, a megabyte, which the package holds packed."""
    packed = files("tuner.page").joinpath("assets", "echarts.min.js.gz").read_bytes()
    return gzip.decompress(packed).decode("utf-8")


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
