"""The page's file: template, style, scripts and data put together, with a policy that lets nothing else run."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from string import Template
from typing import Any

from tuner.page.content import Part
from tuner.page.shared import (
    ECHARTS_VERSION,
    LIBRARY,
    asset,
    plotting_library,
    reference,
    script,
    script_file,
    style_file,
)

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
        single_file: hold style, script and plotting library, instead of links to `shared_files` in the folder above
            the page; `parts` and `blocks` hold their pictures then.
        live: what a page that is served has beside it; its script may ask the server that the page came from.
    """
    parts = [*([live.part] if live else []), *parts]
    style = (
        f"<style>\n{asset('page.css')}</style>"
        if single_file
        else f'<link rel="stylesheet" href={reference(style_file())}>'
    )
    # A script of another file cannot be allowed by its hash on a page that was opened from the disk. Scripts in the
    # page can: text from elsewhere stands in it as text.
    held = [plotting_library(), script()] if single_file else [asset("missed.js")]
    linked = [] if single_file else [LIBRARY, script_file()]
    allowed_scripts = " ".join([*([] if single_file else ["'self'"]), *map(allowed, held)])
    pictures, styles = ("data:", "'unsafe-inline'") if single_file else ("'self' data:", "'self' 'unsafe-inline'")
    beside = f" {allowed(live.script)}; connect-src 'self'" if live else ""
    policy = (
        f"default-src 'none'; img-src {pictures}; style-src {styles}; "
        f"script-src {allowed_scripts}{beside}; base-uri 'none'; form-action 'none'"
    )
    return Template(asset("page.html")).substitute(
        title=escape(title),
        running=_css_text(title),
        back="" if single_file or live else '<p class="back"><a href="../index.html">All reports</a></p>',
        policy=policy,
        style=style,
        live_style=live.style if live else "",
        links="".join(f'<li><a href="#{name}">{heading}</a></li>' for name, heading, _ in parts),
        parts="\n".join(_part(*part) for part in parts),
        blocks="\n".join(_block(name, content) for name, content in blocks.items()),
        library_file=LIBRARY,
        script_file=script_file(),
        version=ECHARTS_VERSION,
        scripts="\n".join(
            [
                *(f"<script src={reference(name)}></script>" for name in linked),
                *(f"<script>{code}</script>" for code in held),
            ]
        ),
        live=f"<script>{live.script}</script>\n" if live else "",
    )


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
