"""Choose the columns of a sample set that are masked."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QWidget

from routestudio.ui.widgets.basics import Button, label
from routestudio.ui.widgets.dialog import Dialog


class MaskDialog(Dialog):
    """A list of columns with check boxes; `chosen` after it was accepted."""

    def __init__(self, parent: QWidget, columns: Sequence[str]) -> None:
        super().__init__(parent, "Mask columns")
        self.setMinimumWidth(460)
        self.body.addWidget(label(
            "The values of these columns are replaced in all rows, also in the old values of "
            "updates and in the primary key. A mask keeps type, length and shape; equal values "
            "get equal masks. The original values can't be recovered.", "muted", wrap=True,
        ))  # fmt: skip
        self.list = QListWidget()
        self.list.setAccessibleName("Columns")
        for name in columns:
            item = QListWidgetItem(name, self.list)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Unchecked)
        self.list.itemChanged.connect(lambda _: self._enable())
        self.body.addWidget(self.list, 1)
        self.ok = Button("Mask", kind="primary", action=self.accept)
        self.foot(Button("Cancel", action=self.reject), self.ok)
        self._enable()

    @property
    def chosen(self) -> list[str]:
        """The checked columns."""
        items = [self.list.item(n) for n in range(self.list.count())]
        return [item.text() for item in items if item.checkState() == Qt.CheckState.Checked]

    def _enable(self) -> None:
        self.ok.setEnabled(bool(self.chosen))
