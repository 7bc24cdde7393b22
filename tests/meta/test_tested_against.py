"""The table of servers in the README is what the matrix found."""

from __future__ import annotations

from tests.matrix import table
from tests.matrix.cells import CELLS
from tests.matrix.fetch import ROOT


def test_the_tables_are_those_of_the_last_run() -> None:
    text = table.README.read_text()
    assert table.with_table(text) == text, "run packaging/matrix"
    assert table.PAGE.read_text() == table.page(), "run packaging/matrix"


def test_cells_have_names_of_their_own_and_tests() -> None:
    assert len({cell.name for cell in CELLS}) == len(CELLS)
    for cell in CELLS:
        assert bool(cell.deselect) == bool(cell.reason), cell.name
        for test in (*cell.tests, *cell.deselect):
            file, _, name = test.partition("::")
            text = (ROOT / file).read_text(encoding="utf-8")
            assert f"def {name.partition('[')[0]}" in text, test
    assert set(table.kept()) <= {cell.name for cell in CELLS}


def test_what_did_not_pass_has_a_reason() -> None:
    for result in table.kept().values():
        assert not result.failed, (
            f"{result.name}: mend it, or give a reason in tests/matrix/cells.py"
        )
        assert not result.error, f"{result.name}: {result.error}"
