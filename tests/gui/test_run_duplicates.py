"""The run panel in front of a stream that knows the messages."""

from __future__ import annotations

from pathlib import Path

import pytest

from routestudio.ui.panels.run_page import DESTINATIONS
from tests.gui.desk import Desk, in_qt
from tests.gui.run_desk import column_of, run
from tests.support import projects
from tests.support.nats_server import NatsServer

pytestmark = [pytest.mark.gui, pytest.mark.real]

PROJECT = """\
databases:
  - {{name: shop, hostname: localhost, port: 5432, database: shop, username: shop}}
sinks:
  - name: one
    database: shop
    destination: {{type: nats, host: 127.0.0.1, port: {port}}}
"""


@in_qt
async def test_what_the_stream_knows_is_not_called_delivered(
    desk: Desk, nats_server: NatsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    projects.write_project(folder, PROJECT.format(port=nats_server.port), {},
                           projects.region_rows()[:12])  # fmt: skip
    nats_server.create_stream("ALL", "sequin.>")
    await desk.start(folder)
    await desk.open("sink", "one")
    desk.window.where.button("real").click()
    panel = desk.window.run_panel
    panel.after = None
    for delivered, verdict in (("12", "delivered"), ("0", "delivered"), ("0", "12 not stored")):
        if verdict != "delivered":
            with nats_server.wire() as wire:
                wire.ask("$JS.API.STREAM.PURGE.ALL")
        await run(desk, monkeypatch)
        await desk.until(lambda: not panel.running and panel.summary is not None, "the run")
        assert panel.counts["delivered"].text() == delivered
        assert panel.counts["duplicates"].text() == f"{12 - int(delivered)}"
        assert panel.verdict.text() == verdict
        assert panel.progress.value() == panel.progress.maximum()
        assert ("not stored: the service knew" in panel.banner.text) == (delivered == "0")
        panel.summary = None
    panel.page.setCurrentIndex(DESTINATIONS)
    model = panel.page.destinations.model
    await desk.until(lambda: "12" in column_of(model, "Duplicates"), "the destination")
