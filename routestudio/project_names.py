"""Names of files and folders that several packages mention."""

from __future__ import annotations

from typing import Final

YAML_FILE: Final = "sequin.yaml"
"""The file that makes a folder a project."""

STATE_FOLDER: Final = ".routestudio"
"""Folder in a project for what is not part of it: recovery journal, dead letters."""
