"""Add to a bill of materials what the installed packages state about their licences.

python packaging/sbom_licences.py FROM TO
"""

from __future__ import annotations

import json
import sys
from importlib import metadata
from pathlib import Path
from typing import Any


def main(source: str, target: str) -> int:
    """Read, add, write."""
    bill: dict[str, Any] = json.loads(Path(source).read_text(encoding="utf-8"))
    missing = []
    for component in bill["components"]:
        try:
            found = licence(metadata.metadata(component["name"]))
        except metadata.PackageNotFoundError:
            missing.append(component["name"])
            continue
        if found:
            component["licenses"] = [{"license": {"name": found}}]
    Path(target).write_text(json.dumps(bill, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    known = sum("licenses" in component for component in bill["components"])
    print(f"{len(bill['components'])} packages, {known} with a licence; not installed: {missing}")
    return 0


def licence(facts: Any) -> str:
    """The licence of a package: its expression, its field when short, or its classifiers."""
    if expression := facts.get("License-Expression"):
        return str(expression)
    named = (facts.get("License") or "").strip()
    if named and "\n" not in named and len(named) < 80:
        return str(named)
    classifiers = [each for each in facts.get_all("Classifier") or () if each.startswith("License")]
    return ", ".join(each.split(" :: ")[-1] for each in classifiers)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
