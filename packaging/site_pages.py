"""Fill the site's navigation with the folders that grow by themselves. mkdocs.yml names this."""

from __future__ import annotations

from pathlib import Path
from typing import Any

FOLDERS = {
    "Row formats": "formats",
    "Sinks": "sinks",
    "Connection tests": "checks",
    "Decisions": "decisions",
}


def on_config(config: dict[str, Any]) -> dict[str, Any]:
    """Put the pages of each folder where the navigation has an empty list for it."""
    docs = Path(config["docs_dir"])
    for section in config["nav"]:
        for part in next(iter(section.values())) if isinstance(section, dict) else ():
            for name in FOLDERS.keys() & part.keys() if isinstance(part, dict) else ():
                part[name] = [f"{FOLDERS[name]}/{each.name}" for each in pages(docs, name)]
    return config


def pages(docs: Path, name: str) -> list[Path]:
    """The pages of a folder, by name."""
    return sorted((docs / FOLDERS[name]).glob("*.md"))
