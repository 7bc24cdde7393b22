"""Pictures of the run panel: `python -m routestudio.ui.screenshots FOLDER --runs`.

A separate project delivers to an HTTP server of this process that is slow, refuses some
messages for good and some for now.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

MESSAGES = 6_000
_ROUTE = """def route(action, record, changes, metadata):
    return {"method": "POST", "endpoint_path": "/orders/" + record["region"].lower()}
"""
_PROJECT = """databases:
  - name: shop
    hostname: localhost
http_endpoints:
  - name: orders-api
    url: http://127.0.0.1:{port}
functions:
  - name: by-region
    type: routing
    sink_type: webhook
    language: python
    file: functions/by_region.py
sinks:
  - name: orders-to-api
    database: shop
    routing: by-region
    batch_size: 20
    max_retry_count: 8
    destination:
      type: webhook
      http_endpoint: orders-api
      batch: true
"""


class Moody:
    """An HTTP server: slow everywhere, busy in one region, and it knows only some orders."""

    def __init__(self) -> None:
        self.busy = True
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        """Listen; returns the port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next(int(line.split(b":")[1]) for line in head.splitlines()
                              if line.lower().startswith(b"content-length"))  # fmt: skip
                body = await reader.readexactly(length)
                region = head.split(b" ", 2)[1]
                await asyncio.sleep(0.02 if region.endswith(b"eu") else 0.06)
                status = b"200 OK"
                if region.endswith(b"jp") and self.busy:
                    status = b"503 Service Unavailable"
                elif b'"status":"lost"' in body:
                    status = b"422 Unprocessable Entity"
                writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def write(folder: Path, port: int) -> Path:
    """The project of these pictures."""
    for part in ("functions", "samples"):
        (folder / part).mkdir(parents=True)
    (folder / "sequin.yaml").write_text(_PROJECT.format(port=port), encoding="utf-8")
    (folder / "functions/by_region.py").write_text(_ROUTE, encoding="utf-8")
    regions = ("EU", "EU", "US", "BR", "EU", "US", "IN", "EU")
    with (folder / "samples/orders.jsonl").open("w", encoding="utf-8") as file:
        for number in range(MESSAGES):
            region: str | None = regions[number % len(regions)]
            region = None if number % 700 == 13 else "JP" if number % 90 == 7 else region
            status = "lost" if number % 1_500 == 20 else "paid"
            message = {
                "action": "insert" if number % 3 else "update",
                "record": {"id": number, "region": region, "status": status, "total": 12.5},
                "changes": None if number % 3 else {"status": "new"},
                "metadata": {"table_schema": "public", "table_name": "orders", "commit_lsn": 7,
                             "commit_idx": number, "record_pks": [str(number)]},
            }  # fmt: skip
            file.write(json.dumps(message) + "\n")
    return folder


async def take_runs(
    window: Any,
    shoot: Callable[[str], Awaitable[None]],
    until: Callable[[Callable[[], object]], Awaitable[None]],
) -> None:
    """Every view of the run panel: while it runs, cancelled, and with its dead letters."""
    from routestudio.ui.panels import run_page
    from routestudio.ui.panels.run_editor import LetterEditor

    moody = Moody()
    panel = window.run_panel
    with tempfile.TemporaryDirectory() as place:
        try:
            project = write(Path(place) / "orders", await moody.start())
            window.session.open(project)
            await until(lambda: window.document() is not None)
            await asyncio.sleep(1.0)
            window.where.button("real").click()
            window.commands.runs.show()
            panel.start("orders-to-api", "orders", MESSAGES, standin=False)
            await until(
                lambda: panel.page.retries.model.rowCount() and panel.progress.value() > 2_500
            )
            await shoot("run-overview")
            for tab, name in ((run_page.DESTINATIONS, "run-destinations"),
                              (run_page.RETRIES, "run-retries")):  # fmt: skip
                panel.page.setCurrentIndex(tab)
                await asyncio.sleep(0.8)
                await shoot(name)
            panel.page.setCurrentIndex(run_page.OVERVIEW)
            panel.cancel()
            await until(lambda: not panel.running)
            await shoot("run-cancelled")
            moody.busy = False
            panel.resume()
            await until(lambda: not panel.running)
            panel.page.setCurrentIndex(run_page.DELIVERED)
            await until(panel.page.delivered.model.rowCount)
            panel.page.delivered.table.selectRow(2)
            await asyncio.sleep(0.5)
            await shoot("run-delivered")
            panel.page.show_letters()
            await until(lambda: panel.page.letters.rows.row(0))
            panel.page.letters.group_table.selectRow(1)
            await until(lambda: panel.page.letters.rows.row(0))
            panel.page.letters.row_table.selectRow(1)
            await shoot("run-letters")
            run = panel.run.id
            number = panel.page.letters.chosen[0].number
            letter = await window.engine.api.letters.letter(run, number)
            editor = LetterEditor(window, letter)
            editor.show()
            await shoot_dialog(editor, shoot)
        finally:
            await moody.stop()


async def shoot_dialog(dialog: Any, shoot: Callable[[str], Awaitable[None]]) -> None:
    """A picture of the window does not show its dialogs: they are put into it for the moment."""
    window = dialog.parentWidget()
    dialog.hide()
    from PySide6.QtCore import Qt

    dialog.setParent(window, Qt.WindowType.Widget)
    dialog.setAutoFillBackground(True)
    dialog.move(260, 120)
    dialog.show()
    dialog.raise_()
    await shoot("run-editor")
    dialog.hide()
    dialog.deleteLater()
