"""What a server would refuse, ignore or crash on in a file: each with its line, and no more."""

from __future__ import annotations

from pathlib import Path

import pytest

from routestudio.engine.service import EngineService
from routestudio.hazards import server_file
from routestudio.project.document import YamlDocument
from routestudio.sinks import registry
from tests.support.sequin_model import RefusedError, SequinModel

DATABASE = "  - {name: d, hostname: h, database: d, slot: {name: s}, publication: {name: p}"
SINK = "destination: {type: redis_stream, host: h, port: 6379, stream_key: a}"

CASES: dict[str, tuple[str, int, str, str]] = {
    "null list": ("functions:\n", 1, "null_list", "`functions` is empty"),
    "account": ("account: {name: a}\n", 1, "account", "only at startup"),
    "user": ("users:\n  - email: a@b.c\n", 2, "crash", "no `password`"),
    "token": ("api_tokens:\n  - token: ${T}\n", 2, "crash", "no `name`"),
    "unknown key of a database": (f"databases:\n{DATABASE}, pol_size: 3}}\n", 2, "ignored",
                                  "ignores `pol_size`"),
    "tables of a database": (f"databases:\n{DATABASE}, tables: []}}\n", 2, "ignored", "`tables`"),
    "slot twice": (f"databases:\n{DATABASE}, slot_name: x}}\n", 2, "refused",
                   "`slot` and `slot_name` together"),
    "no slot": ("databases:\n  - {name: d, hostname: h, database: d, publication: {name: p}}\n", 2,
                "creation", "no `slot`"),
    "no host": ("databases:\n  - {name: d, database: d, slot: {name: s}, publication: {name: p}}\n",
                2, "refused", "no `hostname`"),
    "url and host": (f"databases:\n{DATABASE}, url: 'postgresql://h:1/d'}}\n", 2, "refused",
                     "either `url` or `database`"),
    "url without port": ("databases:\n  - {name: d, url: 'postgresql://h/d', slot_name: s, "
                         "publication_name: p}\n", 2, "refused", "names no port"),
    "url with parameters": ("databases:\n  - {name: d, url: 'postgresql://h:1/d?ssl=1', "
                            "slot_name: s, publication_name: p}\n", 2, "refused", "parameters"),
    "text for a flag": ("databases:\n  - {name: d, hostname: h, database: d, slot: {name: s, "
                        "create_if_not_exists: 'true'}, publication: {name: p}}\n", 2, "ignored",
                        "not `true` or `false`"),
    "SQL in vain": ("databases:\n  - {name: d, hostname: h, database: d, slot: {name: s}, "
                    "publication: {name: p, init_sql: x}}\n", 2, "ignored", "`init_sql` without"),
    "waiting as text": (f"databases:\n{DATABASE}, await_database: {{timeout_ms: '${{T:-1}}'}}}}\n",
                        2, "crash", "whole number of milliseconds"),
    "unknown key of an endpoint": ("http_endpoints:\n  - name: e\n    url: http://h\n"
                                   "    header: {}\n", 4, "refused", "unknown key `header`"),
    "two forms": ("http_endpoints:\n  - {name: e, url: 'http://h', local: 'true'}\n", 2, "refused",
                  "`url` and `local`"),
    "no form": ("http_endpoints:\n  - {name: e}\n", 2, "refused", "no `url`"),
    "local as a flag": ("http_endpoints:\n  - {name: e, local: true}\n", 2, "WEB-08", "as text"),
    "a random site": ("http_endpoints:\n  - {name: e, webhook.site: true}\n", 2, "random",
                      "new address"),
    "headers as text": ("http_endpoints:\n  - {name: e, url: 'http://h', headers: x}\n", 2, "crash",
                        "must be a map"),
    "a header without value": ("http_endpoints:\n  - {name: e, url: 'http://h', headers: "
                               "[{key: a}]}\n", 2, "crash", "must be a map"),
    "description": ("functions:\n  - {name: f, type: path, path: record, description: x}\n", 2,
                    "description", "loses the description"),
    "enrichment": ("functions:\n  - name: f\n    type: enrichment\n    code: select 1\n", 4,
                   "refused", "without `$1`"),
    "retention": ("change_retentions:\n  - {name: r, source_database: d, source_table_schema: a, "
                  "source_table_name: b, destination_database: d, destination_table_schema: c}\n",
                  2, "crash", "no `destination_table_name`"),
    "a like database": (f"databases:\n{DATABASE}}}\nsinks:\n  - {{name: s, database: dd, {SINK}}}",
                        4, "unknown_database", "`dd` is not in `databases`"),
    "unknown key of a source": (f"sinks:\n  - name: s\n    database: d\n    source:\n"
                                f"      include_table: [a]\n    {SINK}\n", 5, "ignored",
                                "ignores `include_table`"),
    "text for a list": (f"sinks:\n  - {{name: s, database: d, source: {{include_tables: a}}, "
                        f"{SINK}}}\n", 2, "refused", "must be a list"),
    "both ways": (f"sinks:\n  - {{name: s, database: d, source: {{include_tables: [a], "
                  f"exclude_tables: [b]}}, {SINK}}}\n", 2, "refused", "together"),
    "table and source": (f"sinks:\n  - {{name: s, database: d, table: a, source: {{}}, {SINK}}}\n",
                         2, "refused", "takes one and drops the other"),
    "groups without grouping": (f"sinks:\n  - {{name: s, database: d, message_grouping: false, "
                                f"tables: [{{name: a, group_column_names: [b]}}], {SINK}}}\n", 2,
                                "refused", "`group_column_names`"),
    "annotations": (f"sinks:\n  - {{name: s, database: d, annotations: {{a: {'x' * 9000}}}, "
                    f"{SINK}}}\n", 2, "refused", "8192 bytes"),
    "backfill": (f"sinks:\n  - {{name: s, database: d, initial_backfill: [{{table: a, "
                 f"type: partial}}], {SINK}}}\n", 2, "refused", "initial_backfill"),
    "backfill as text": (f"sinks:\n  - {{name: s, database: d, initial_backfill: all, {SINK}}}\n",
                         2, "refused", "initial_backfill"),
    "batches of one": ("sinks:\n  - {name: s, database: d, batch_size: 9, destination: {type: "
                       "webhook, http_endpoint: e, batch: false}}\n", 2, "refused", "over 1"),
    "our own key": ("sinks:\n  - {name: s, database: d, destination: {type: s2, basin: shop-basin, "
                    "stream: s, access_token: '${T}', endpoint_url: 'http://h'}}\n", 2, "ignored",
                    "does not read `endpoint_url`"),
    "credentials as text": ("sinks:\n  - name: s\n    database: d\n    destination:\n"
                            "      type: gcp_pubsub\n      credentials: ${G}\n", 6, "credentials",
                            "wants a map"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_finding_has_its_line(case: str) -> None:
    text, line, code, message = CASES[case]
    document = YamlDocument(text)
    found = server_file.findings(document.plain(), "sequin.yaml", document.position,
                                 registry.default().names())  # fmt: skip
    matching = [item for item in found if item.code == code and message in item.message]
    assert [item.line for item in matching] == [line], [str(item) for item in found]
    assert matching[0].severity in ("warning", "note")
    assert matching[0].hint
    quiet = server_file.findings(document.plain(), "sequin.yaml", document.position,
                                 registry.default().names(), server=False)  # fmt: skip
    assert all(item.severity == "warning" for item in quiet)


@pytest.mark.parametrize("case", [
    "null list", "slot twice", "no slot", "no host", "url and host", "url without port",
    "unknown key of an endpoint", "headers as text", "enrichment",
])  # fmt: skip
def test_the_model_of_the_server_refuses_it_too(case: str) -> None:
    with pytest.raises(RefusedError):
        SequinModel().apply(CASES[case][0], {"T": "t"})


async def test_lint_lists_them_once(tmp_path: Path) -> None:
    file = tmp_path / "server.yaml"
    file.write_text("functions:\ndatabases: 5\nsinks:\n"
                    f"  - {{name: s, database: d, source: {{a: b}}, {SINK}}}\n")  # fmt: skip
    async with EngineService() as engine:
        await engine.open(str(file))
        found = [(item.code, item.severity, item.line) for item in await engine.checks.lint()]
    assert found[:3] == [
        ("wrong_type", "error", 2), ("null_list", "warning", 1), ("ignored", "warning", 4)
    ]  # fmt: skip
