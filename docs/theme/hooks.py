"""What mkdocs does not do by itself: folders in the navigation, and no other host for a reader."""

import logging
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.pages import Page

_log = logging.getLogger("mkdocs.hooks.offline")
_LOADED = re.compile(
    r"<(?:script|img|iframe|source|video|audio|embed)\b[^>]*\bsrc=[\"']?((?:https?:)?//[^\"'\s>]+)"
    r"|<link\b[^>]*\brel=[\"']?(?:stylesheet|preconnect|preload|icon)\b[^>]*"
    r"\bhref=[\"']?((?:https?:)?//[^\"'\s>]+)"
)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put all pages of a folder where the navigation has a pattern, so that none is forgotten."""
    pages = Path(config.docs_dir)
    for section in config.nav:
        for title, entries in section.items():
            if isinstance(entries, list) and "*" in str(entries[0]):
                found = sorted(pages.glob(entries[0]))
                section[title] = [path.relative_to(pages).as_posix() for path in found]
    return config


def on_post_page(output: str, *, page: Page, **_: object) -> str:
    """Warn of each foreign address that a page loads; the strict build makes it an error."""
    for found in _LOADED.finditer(output):
        _log.warning("%s loads %s", page.file.src_uri, found[1] or found[2])
    return output
