"""The picture of a project: which rows take which way, and what is shown of many."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from routestudio.engine.flows import Flow, Loss
from routestudio.engine.picture import DESTINATIONS, PAGE, SINKS, Shown, picture
from routestudio.engine.picture_methods import EVALUATIONS, LEAST_ROWS, MOST_ROWS, rows_of_each
from routestudio.engine.service import EngineService

TABLES: dict[str, dict[str, Any]] = {"public.orders": {"rows": 12, "sample": "shop", "line": 4}}


def flow(name: str, kind: str = "kafka", **parts: Any) -> Flow:
    parts.setdefault("tables", Counter({"public.orders": 12}))
    parts.setdefault("destinations", Counter({"a": 12}))
    return Flow(name, kind, kind.title(), **parts)


def nodes(drawn: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {node["id"]: node for node in drawn["nodes"]}


def ways(drawn: dict[str, Any]) -> dict[tuple[str, str], tuple[int, str]]:
    return {(way["from"], way["to"]): (way["rows"], way["state"]) for way in drawn["ways"]}


def test_each_way_has_its_rows_and_what_is_lost_ends_apart() -> None:
    one = flow(
        "one", steps=(("filter", "f"), ("routing", "r"), ("transform", "t")), filtered=3,
        failed={"routing": Loss(2, "KeyError: 'x'", "r", 7, 5, "shop"),
                "sink": Loss(1, "too large", sample="shop")},
        destinations=Counter({"a": 4, "b": 2}), samples={"": "shop", "a": "shop", "b": "more"},
    )  # fmt: skip
    drawn = picture([one], TABLES)
    assert drawn["columns"] == ["Tables", "Filters", "Routing functions", "Transforms", "Sinks",
                                "Destinations"]  # fmt: skip
    assert ways(drawn) == {
        ("table:public.orders", "filter:f"): (12, "ok"),
        ("filter:f", "routing:r"): (9, "ok"),
        ("filter:f", "filtered:filter:f"): (3, "filtered"),
        ("routing:r", "transform:t"): (7, "ok"),
        ("routing:r", "failed:routing:r"): (2, "failed"),
        ("transform:t", "sink:one"): (7, "ok"),
        ("sink:one", "failed:sink:one"): (1, "failed"),
        ("sink:one", "destination:one:a"): (4, "ok"),
        ("sink:one", "destination:one:b"): (2, "ok"),
    }
    found = nodes(drawn)
    assert found["table:public.orders"]["to"] == {"kind": "sample", "name": "shop", "line": 4}
    assert found["failed:routing:r"]["to"] == {"kind": "function", "name": "r", "line": 7,
                                               "column": 5}  # fmt: skip
    assert found["failed:sink:one"]["to"] == {"kind": "rows", "name": "one", "state": "failed",
                                              "sample": "shop"}  # fmt: skip
    assert found["filtered:filter:f"]["to"]["state"] == "filtered"
    assert found["destination:one:b"]["to"] == {"kind": "destination", "name": "one",
                                                "destination": "b", "sample": "more"}  # fmt: skip
    assert found["routing:r"]["text"] == "routing function r, 9 rows, 2 failed"
    assert found["failed:routing:r"]["text"] == "2 rows failed, KeyError: 'x'"
    columns = {drawn["columns"][node["column"]]: node for node in drawn["nodes"]}
    assert set(columns) == set(drawn["columns"])
    assert drawn["columns"][found["failed:routing:r"]["column"]] == "Transforms"


def test_what_is_lost_stands_in_the_next_column_that_there_is() -> None:
    drawn = picture([flow("one", steps=(("filter", "f"),), filtered=12, destinations=Counter())],
                    TABLES)  # fmt: skip
    found = nodes(drawn)
    assert drawn["columns"] == ["Tables", "Filters", "Sinks"]
    assert found["filtered:filter:f"]["column"] == found["sink:one"]["column"] == 2
    failing = flow("two", failed={"sink": Loss(12, "no")}, destinations=Counter())
    drawn = picture([failing], TABLES)
    assert drawn["columns"] == ["Tables", "Sinks", "Destinations"]


def test_functions_that_several_sinks_share_are_one_node() -> None:
    shared = [flow(name, steps=(("filter", "f"),), filtered=2) for name in ("one", "two")]
    drawn = picture(shared, TABLES)
    assert ways(drawn)["table:public.orders", "filter:f"] == (24, "ok")
    assert ways(drawn)["filter:f", "filtered:filter:f"] == (4, "filtered")
    assert nodes(drawn)["filter:f"]["rows"] == 24


def test_a_sink_shows_its_largest_destinations_and_counts_the_others() -> None:
    many = Counter({f"orders.{number}": 2000 - number for number in range(1300)})
    drawn = picture([flow("one", destinations=many, tables=Counter({"public.orders": 9}))], TABLES)
    shown = [node for node in drawn["nodes"] if node["kind"] == "destination"]
    assert shown[0]["title"] == "orders.0"
    assert shown[-1]["title"] == "1,295 more destinations"
    assert shown[-1]["to"] == {"kind": "destinations", "name": "one"}
    assert sum(node["rows"] for node in shown) == many.total()
    one_more = Counter({str(number): 1 for number in range(6)})
    titles = [n["title"] for n in picture([flow("one", destinations=one_more)], TABLES)["nodes"]]
    assert "1 more destination" not in titles


def test_many_sinks_are_shown_by_type_and_opened_by_pages() -> None:
    flows = [flow(f"k{n:03}", steps=(("routing", f"r{n % 300}"),)) for n in range(600)]
    flows += [flow(f"h{n:03}", "webhook") for n in range(400)]
    flows[77].failed = {"routing": Loss(12, "no", "r77", 2)}
    drawn = picture(flows, TABLES)
    found = nodes(drawn)
    assert (drawn["sinks"], drawn["matching"]) == (1000, 1000)
    sinks = {n["title"]: n for n in drawn["nodes"] if n["id"].startswith("sinks:")}
    assert set(sinks) == {"600 Kafka sinks", "400 Webhook sinks"}
    assert sinks["600 Kafka sinks"]["rows"] == 600 * 12 - 12
    assert len(drawn["nodes"]) < 80
    assert found["routings"]["title"] == "276 more routing functions"
    assert found["routing:r77"]["failed"] == 12
    group = sinks["600 Kafka sinks"]["to"]
    assert group == {"kind": "more", "id": "sinks:kafka", "pages": 1}
    opened = picture(flows, TABLES, shown=Shown(pages={"sinks:kafka": 1}))
    alone = [n for n in opened["nodes"] if n["kind"] == "sink" and n["form"] == "one"]
    assert len(alone) == PAGE
    assert "k077" in {node["title"] for node in alone}
    rest = nodes(opened)["sinks:kafka"]
    assert rest["title"] == f"{600 - PAGE} more Kafka sinks"
    assert rest["to"]["pages"] == 2
    total = sum(way["rows"] for way in opened["ways"] if way["from"].startswith("table:"))
    assert total == sum(way["rows"] for way in drawn["ways"] if way["from"].startswith("table:"))
    shown = [n for n in opened["nodes"] if n["kind"] == "destination" and n["form"] == "one"]
    assert len(shown) <= DESTINATIONS


def test_many_sinks_of_one_type_begin_with_what_fails() -> None:
    flows = [flow(f"k{n:03}") for n in range(SINKS + 40)]
    flows[-1].failed = {"sink": Loss(3, "no")}
    drawn = picture(flows, TABLES)
    sinks = [node for node in drawn["nodes"] if node["id"].startswith("sink")]
    assert (sinks[0]["title"], sinks[0]["failed"]) == (f"k{SINKS + 39:03}", 3)
    assert sinks[-1]["title"] == f"{SINKS + 40 - PAGE} more Kafka sinks"


def test_a_text_chooses_sinks_by_name_type_table_and_function() -> None:
    flows = [flow("one", steps=(("routing", "by-region"),)), flow("two", "webhook"),
             flow("three", tables=Counter({"public.items": 1}))]  # fmt: skip
    for text, names in (("by-REG", {"one"}), ("webh", {"two"}), ("items", {"three"}),
                        ("nothing", set()), (" ", {"one", "two", "three"})):  # fmt: skip
        drawn = picture(flows, TABLES, shown=Shown(only=text))
        assert {n["title"] for n in drawn["nodes"] if n["kind"] == "sink"} == names
        assert drawn["matching"] == len(names)


def test_many_tables_are_shown_by_their_rows() -> None:
    rows = Counter({f"public.t{n:02}": n + 1 for n in range(60)})
    known = {name: {"rows": count, "sample": "s", "line": 1} for name, count in rows.items()}
    found = [n for n in picture([flow("one", tables=rows)], known)["nodes"] if n["kind"] == "table"]
    assert found[0]["title"] == "public.t59"
    assert found[-1]["title"] == f"{60 - PAGE} more tables"
    assert sum(node["rows"] for node in found) == rows.total()


def test_few_rows_of_many_sinks_and_more_of_few() -> None:
    assert rows_of_each(3, 2) == MOST_ROWS
    assert rows_of_each(0, 0) == MOST_ROWS
    assert rows_of_each(1000, 2) * 1000 * 2 <= EVALUATIONS
    assert rows_of_each(1_000_000, 9) == LEAST_ROWS


async def test_the_picture_of_the_demo(service: EngineService, demo: Path) -> None:
    await service.open(str(demo))
    drawn = await service.methods["picture"]()
    found = nodes(drawn)
    assert ways(drawn)["routing:orders-by-region", "failed:routing:orders-by-region"] == (
        1, "failed"
    )  # fmt: skip
    preview = await service.preview("orders-to-kafka", sample="shop")
    awkward = await service.preview("orders-to-kafka", sample="awkward")
    assert found["routing:orders-by-region"]["failed"] == preview["failed"] + awkward["failed"]
    assert found["sink:orders-to-kafka"]["rows"] == preview["ok"] + awkward["ok"]
    assert (drawn["rows"], drawn["sets"], drawn["cut"]) == (92, 2, False)


async def test_only_stale_sinks_are_evaluated_again(service: EngineService, demo: Path) -> None:
    await service.open(str(demo))
    methods = service.methods["picture"].__self__  # type: ignore[attr-defined]
    await methods.picture()
    assert methods.evaluated == 3
    await methods.picture(only="kafka")
    await methods.picture(pages={"routings": 2})
    assert methods.evaluated == 3
    code = (demo / "functions/orders_by_region.py").read_text()
    edit = {"op": "set_code", "name": "orders-by-region", "code": code.replace("orders.", "o.")}
    await service.apply(edit)
    drawn = await methods.picture()
    assert methods.evaluated == 4
    assert "destination:orders-to-kafka:o.eu" in nodes(drawn)
    text = (demo / "samples/awkward.jsonl").read_text()
    await service.apply({"op": "set_sample", "name": "awkward", "text": text + "nonsense\n"})
    drawn = await methods.picture()
    assert methods.evaluated == 7
    assert nodes(drawn)["unreadable"]["to"] == {"kind": "sample", "name": "awkward",
                                                "line": len(text.splitlines()) + 1}  # fmt: skip
    await service.undo()
    assert "unreadable" not in nodes(await methods.picture())


async def test_of_large_sets_the_first_rows_count(service: EngineService, many: Path) -> None:
    await service.open(str(many))
    drawn = await service.methods["picture"]()
    assert drawn["cut"]
    assert drawn["first"] == MOST_ROWS
    assert drawn["rows"] == 92 + MOST_ROWS


def test_a_sink_that_cannot_be_evaluated_is_in_the_picture() -> None:
    broken = Flow("one", "kafka", problem="function `f` is a filter function")
    found = nodes(picture([broken, flow("two")], TABLES))
    assert found["sink:one"]["form"] == "broken"
    assert found["sink:one"]["text"] == "sink one, no row, function `f` is a filter function"


async def test_secrets_are_not_in_the_picture(service: EngineService, demo: Path) -> None:
    (demo / ".env").write_text("TOPIC_SECRET=hunter2-is-long\n")
    await service.open(str(demo))
    await service.apply(
        {"op": "set_code", "name": "orders-by-region",
         "code": 'def route(action, record, changes, metadata):\n'
                 '    return {"topic": "hunter2-is-long"}\n'}
    )  # fmt: skip
    drawn = await service.methods["picture"]()
    assert "hunter2" not in str(drawn)
    ends = {way["to"] for way in drawn["ways"]} | {way["from"] for way in drawn["ways"]}
    assert ends <= set(nodes(drawn))
