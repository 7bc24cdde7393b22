"""Proof that reading is streaming: files of any format, far larger than the memory used for them.

    python -m tests.large --gb 5 --only "own form" --only CSV
    python -m tests.large --gb 0.5

For each kind of file: `sample --limit 3` (the first rows, at once), `run --dry-run` (all of it),
and the engine as the window uses it on a sample set (first rows, all rows found, longest gap of its
loop). Memory is the peak of all processes together. The bar is 200 MB. It takes long, and is not a
part of the tests.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.large import files

BAR_MB = 200
YAML = """\
functions:
  - name: route
    type: routing
    sink_type: kafka
    language: python
    file: functions/route.py
sinks:
  - name: s
    database: shop
    routing: route
    destination:
      type: kafka
      hosts: localhost:9092
"""
ROUTE = """\
def route(action, record, changes, metadata):
    return {"topic": f"rows.{metadata.table_name}"}
"""


def watched(*words: str) -> tuple[str, float, float]:
    """Run a command: its output, its seconds, and the peak of memory of all its processes in MB.

    Fails with what it said when it does not end with 0 or 1.
    """
    begun = time.perf_counter()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = subprocess.Popen([sys.executable, "-m", *words], stdout=out, stderr=err)
        peak = 0.0
        while child.poll() is None:
            peak = max(peak, _memory(child.pid))
            time.sleep(0.1)
        seconds = time.perf_counter() - begun
        for file in (out, err):
            file.seek(0)
        if child.returncode not in (0, 1):
            raise SystemExit(err.read().decode())
        return out.read().decode(), seconds, peak


def _memory(pid: int) -> float:
    """Memory of a process and its descendants in MB; what they share counts once."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0.0
    share = next((line for line in text.splitlines() if line.startswith("Pss:")), "Pss: 0 kB")
    return int(share.split()[1]) / 1_000 + sum(_memory(int(child)) for child in children)


def prove(kind: str, size: int, folder: Path) -> bool:
    """One kind of file; whether it keeps to the bar."""
    project = folder / "project"
    for part, text in (("sequin.yaml", YAML), ("functions/route.py", ROUTE)):
        (project / part).parent.mkdir(parents=True, exist_ok=True)
        (project / part).write_text(text)
    (project / "samples").mkdir(exist_ok=True)
    path = project / "samples" / f"big.{files.MAKERS[kind][0]}"
    files.write(path, kind, size)
    try:
        _, first, looked = watched("routestudio", "sample", str(path), "--limit", "3")
        text, seconds, ran = watched("routestudio", "run", str(project), "s", "--dry-run",
                                     "--input", str(path), "--format", "json")  # fmt: skip
        read = json.loads(text)["read"]
        print(f"{kind}: {files.described(path)}, {read:,} rows; first rows after {first:.1f} s "
              f"({looked:.0f} MB); all in {seconds:.0f} s ({ran:.0f} MB)", flush=True)  # fmt: skip
        engine = 0.0
        if path.suffix != ".parquet":  # not a sample set: the window makes one of it
            text, _, engine = watched("tests.large.look", str(project), "big")
            found = json.loads(text)
            print(f"  window's engine: first rows after {found['first']:.1f} s, {found['rows']:,} "
                  f"rows found after {found['all']:.0f} s ({engine:.0f} MB), longest gap of its "
                  f"loop {found['gap'] * 1_000:.0f} ms", flush=True)  # fmt: skip
        return max(looked, ran, engine) < BAR_MB
    finally:
        path.unlink()


def main() -> int:
    """Every kind, or those that are named; 1 when one needs more memory than the bar."""
    parser = argparse.ArgumentParser(prog="python -m tests.large")
    parser.add_argument("--gb", type=float, default=5.0)
    parser.add_argument("--only", action="append", choices=list(files.MAKERS))
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    good = True
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="large-") as folder:
        for kind in options.only or files.MAKERS:
            good = prove(kind, int(options.gb * 1e9), Path(folder)) and good
    print("memory stays under the bar" if good else f"over {BAR_MB} MB", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
