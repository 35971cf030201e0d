"""Refuses a page that makes its reader's browser load something from another host."""

import logging
import re

from mkdocs.structure.pages import Page

_log = logging.getLogger("mkdocs.hooks.offline")
_LOADED = re.compile(
    r"<(?:script|img|iframe|source|video|audio|embed)\b[^>]*\bsrc=[\"']?((?:https?:)?//[^\"'\s>]+)"
    r"|<link\b[^>]*\brel=[\"']?(?:stylesheet|preconnect|preload|icon)\b[^>]*"
    r"\bhref=[\"']?((?:https?:)?//[^\"'\s>]+)"
)


def on_post_page(output: str, *, page: Page, **_: object) -> str:
    """Warn of each foreign address that a page loads; the strict build makes it an error."""
    for found in _LOADED.finditer(output):
        _log.warning("%s loads %s", page.file.src_uri, found[1] or found[2])
    return output
