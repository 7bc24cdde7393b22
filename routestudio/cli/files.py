"""Commands that read and write files: new, sinks, import, export, docs, schema."""

from __future__ import annotations

import argparse
from pathlib import Path

from routestudio.cli.opened import open_in
from routestudio.cli.output import json_line, out, paint, say, table
from routestudio.cli.service import engine_service
from routestudio.derive import formats_pages
from routestudio.derive.describe import describe
from routestudio.derive.docs import page
from routestudio.derive.schema import project_schema
from routestudio.hazards.page import page as hazards_page
from routestudio.model import jsonio
from routestudio.project.files import write_text
from routestudio.sinks import registry


async def new(options: argparse.Namespace) -> int:
    """`routestudio new`."""
    async with engine_service() as engine:
        snapshot = await engine.create(options.project, options.sink or registry.proposed())
    sink = snapshot["sinks"][0]["name"]
    say(f"created {options.project}")
    say(f"next: routestudio preview {options.project} {sink} --sample orders")
    return 0


async def sinks(options: argparse.Namespace) -> int:
    """`routestudio sinks`."""
    known = registry.default()
    types = [known.get(options.type)] if options.type else list(known)
    if options.format == "json":
        rows = [describe(sink) for sink in types]
        json_line(rows[0] if options.type else rows)
        return 0
    if not options.type:
        rows = [describe(sink) for sink in types]
        table([(r["key"], r["title"], r["yaml_type"], r["summary"]) for r in rows],
              ("key", "title", "type in YAML", "what it does"), limit=80)  # fmt: skip
        return 0
    data = describe(types[0])
    out(f"{paint(data['title'], 'bold')}  {data['summary']}")
    out(f"type in YAML: {data['yaml_type']}\n")
    out("Configuration")
    table([(f["name"], f["type"], "yes" if f["required"] else "", f["default"], f["help"])
           for f in data["config"]], ("field", "type", "required", "default", "help"),
          limit=70)  # fmt: skip
    out("\nRouting")
    table([(f["name"], f["type"], "yes" if f["required"] else "", f["default"], f["help"])
           for f in data["routing"]], ("field", "type", "required", "default", "help"),
          limit=70)  # fmt: skip
    return 0


async def import_file(options: argparse.Namespace) -> int:
    """`routestudio import`."""
    async with engine_service() as engine:
        snapshot = await engine.import_file(options.file, options.output)
    problems = snapshot["problems"]
    for problem in problems:
        say(f"{problem['file']}: line {problem['line']}: {problem['message']}")
    brought = snapshot["imported"]
    said = {problem["message"] for problem in problems}
    for item in (item for item in brought["kept"] if item["message"] not in said):
        say(f"kept as it is: line {item['line']}: {item['message']}")
    if brought["secrets"]:
        say(f"secrets moved to .env: {', '.join(brought['secrets'])}")
    say(f"imported {len(snapshot['sinks'])} sinks and {len(snapshot['functions'])} functions "
        f"to {options.output}")  # fmt: skip
    return 1 if any(p["severity"] == "error" for p in problems) else 0


async def export(options: argparse.Namespace) -> int:
    """`routestudio export`."""
    async with engine_service() as engine:
        open_in(engine, options.project, options.env)
        result = await engine.export(options.target, options.output)
    if result["text"] is not None and not options.output:
        print(result["text"], end="")
    for note in result["notes"]:
        say(note)
    for path in result["written"]:
        say(f"wrote {path}")
    return 0


async def docs(options: argparse.Namespace) -> int:
    """`routestudio docs`."""
    pages = {f"sinks/{sink.key}.md": page(sink) for sink in registry.default()}
    pages["hazards.md"] = hazards_page()
    pages |= formats_pages.pages()
    for name, text in pages.items():
        if options.write:
            write_text(Path(options.write) / name, text)
            say(f"wrote {Path(options.write) / name}")
        else:
            out(text)
    return 0


async def schema(options: argparse.Namespace) -> int:
    """`routestudio schema`."""
    out(jsonio.dumps(project_schema(registry.default())))
    return 0
