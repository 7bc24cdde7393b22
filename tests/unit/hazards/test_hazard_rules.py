"""Every rule finds its hazard in a minimal project, and not in one that nearly has it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from routestudio.hazards import catalog
from routestudio.hazards.rules.functions import UNKNOWN_COLUMN
from routestudio.hazards.rules.types import COLUMN_TYPE
from routestudio.sinks import registry
from routestudio.sinks.hazards import RULES
from tests.unit.hazards.linted import CASES, Linted
from tests.unit.hazards.projects import Case

BY_READER = {"GEN-12", "GEN-23", "GEN-24", "YML-03", "YML-04", "YML-05", "YML-08"}
"""Hazards that the reader of the file and the sinks' own rules find."""


NAMED = [pytest.param(case, id=f"{case.name}-{number}") for number, case in enumerate(CASES)]


@pytest.mark.slow
@pytest.mark.parametrize("case", NAMED)
def test_a_hazard_is_found_with_its_place(case: Case, linted: Linted) -> None:
    found = [item for item in linted.of(case.hit) if item.code == case.code]
    assert found, f"found only {[i.code for i in linted.of(case.hit)]}"
    texts = "\n".join(f"{i.message} ({i.hint})" for i in found)
    assert case.says in texts
    for item in found:
        assert item.file, item
        assert item.line, item
        assert item.message, item
        if case.code not in BY_READER:
            assert item.hint, item
            assert item.sink == "s"
            assert len(item.message) < 400
    if case.severity:
        assert {item.severity for item in found} == {case.severity}
    places = {f"{item.file}:{item.line}" for item in found}
    assert any(place == case.at or place.split(":")[0] == case.at for place in places) or not (
        case.at
    ), places


@pytest.mark.parametrize("case", NAMED)
def test_a_near_miss_is_not_a_hazard(case: Case, linted: Linted) -> None:
    assert [item for item in linted.of(case.miss) if item.code == case.code] == []


def test_no_rule_fails(linted: Linted) -> None:
    assert linted.failures == []


def test_every_detected_hazard_has_a_rule_and_a_case() -> None:
    detected = {hazard.id for hazard in catalog.HAZARDS if hazard.treatment == "detected"}
    further = {UNKNOWN_COLUMN, COLUMN_TYPE}
    assert set(RULES) - further == detected - BY_READER
    assert {case.code for case in CASES} == detected | further


def test_findings_are_no_more_severe_than_their_hazard(linted: Linted) -> None:
    order = ("note", "warning", "error")
    for case in CASES:
        for item in linted.of(case.hit):
            hazard = catalog.BY_ID.get(item.code)
            if hazard is not None and not (item.code in BY_READER or item.code == "YML-09"):
                assert order.index(item.severity) <= order.index(hazard.severity), item


def test_a_place_in_a_file_exists(linted: Linted) -> None:
    for case in CASES:
        for item in linted.of(case.hit):
            assert item.title == catalog.TITLES.get(item.code)
            assert re.fullmatch(r"sequin\.yaml|(functions|samples)/[\w.]+", item.file), item


COUNTS = {"GEN": 41, "YML": 10, "WEB": 9, "RDS": 3, "NAT": 8, "KAF": 6, "GCP": 4, "AZR": 2,
          "SNS": 4, "SQS": 6, "KIN": 3, "AWS": 5, "TYP": 5, "MEI": 10, "ELS": 4, "S2": 1,
          "RAB": 8}  # fmt: skip
"""Hazards by part of docs/hazards.md: 129 in all, numbered without gaps."""


def test_the_catalog_is_complete() -> None:
    wanted = [f"{part}-{n:02}" for part, count in COUNTS.items() for n in range(1, count + 1)]
    assert len(wanted) == 129
    assert sorted(hazard.id for hazard in catalog.HAZARDS) == sorted(wanted)
    for hazard in catalog.HAZARDS:
        for text in (hazard.title, hazard.consequence, hazard.remedy, hazard.how):
            assert text, hazard.id
        assert hazard.consequence.endswith("."), hazard.id
        assert hazard.remedy.endswith("."), hazard.id
        assert len(hazard.title) <= 50, hazard.id
        assert set(hazard.sinks) <= set(registry.default().keys()) | {"s2", "rabbitmq"}, hazard.id


def test_rules_import_no_sink() -> None:
    folder = Path(catalog.__file__).parent
    for module in folder.rglob("*.py"):
        names = re.findall(r"routestudio\.sinks\.(\w+)", module.read_text())
        contract = {"hazard_explanation", "hazard_view", "hazards", "server"}
        assert set(names) <= contract, module
