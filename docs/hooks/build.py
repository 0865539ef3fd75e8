"""What mkdocs calls while it builds the site: pages that are made from the code and the plugins."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import binarizer_pages
import command_pages
import kit_tests
import reference_parts
import repository
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

_ASKED: Final = re.compile(r"<!-- generated: (\w+)(.*?) -->")
_MADE: Final[dict[str, Callable[..., str]]] = {
    "binarizers": binarizer_pages.table,
    "class": reference_parts.classes,
    "errors": reference_parts.errors,
    "probes": reference_parts.probes,
    "signatures": reference_parts.signatures,
    "tests": kit_tests.listed,
}
"""What a page may ask for: ``<!-- generated: signatures detect load -->``."""

_IMPORTED_BY_NAME: Final = (
    command_pages  # by mkdocs-click, when this folder is no longer on the path
)

_SHOWN: Final = {
    page: source if source.endswith(".md") else f"{source}/README.md"
    for source, page in repository.PAGES.items()
}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the binarizers' pages into the navigation, after their overview."""
    for entry in config["nav"]:
        if "Binarizers" in entry:
            entry["Binarizers"] += [
                {info.name: f"{binarizer_pages.FOLDER}/{info.name}.md"}
                for info in binarizer_pages.official()
            ]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages. They are nowhere on the disk."""
    made = binarizer_pages.pages()
    for page, source in _SHOWN.items():
        text = (repository.ROOT / source).read_text(encoding="utf-8")
        made[page] = repository.relinked(text, source, page)
    for path, text in made.items():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Fill in what a page asks for, and lead links out of ``docs/`` to pages."""
    markdown = _ASKED.sub(lambda found: _MADE[found[1]](*found[2].split()), markdown)
    if page.file.generated_by:
        return markdown
    return repository.relinked(markdown, f"docs/{page.file.src_uri}", page.file.src_uri)
