"""The style sheet of the window, written from the tokens of a theme."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from routestudio.paths import resources

if TYPE_CHECKING:
    from routestudio.ui.theme import Tokens

_POINTS = re.compile(r"\b([\d.]+)pt\b")


def style_sheet(t: Tokens, scale: float = 1.0) -> str:
    """Qt style sheet of a part of a window; the text's colour is the palette's."""
    if scale != 1.0:
        return _POINTS.sub(lambda size: f"{float(size[1]) * scale:g}pt", style_sheet(t))
    icons = (resources() / "themes").as_posix()
    return f"""
QAbstractItemView, QAbstractButton, QTabBar {{ outline: none; }}
QDialog {{ background: {t.background}; }}
QToolTip {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.strong_border};
    padding: 5px 7px; }}

QMenuBar {{ background: {t.surface}; border-bottom: 1px solid {t.border}; padding: 2px 6px; }}
QMenuBar::item {{ padding: 4px 9px; border-radius: 4px; background: transparent; }}
QMenuBar::item:selected {{ background: {t.hover}; }}
QMenu {{ background: {t.surface}; border: 1px solid {t.strong_border}; padding: 5px; }}
QMenu::item {{ padding: 5px 26px 5px 10px; border-radius: 4px; }}
QMenu::item:selected {{ background: {t.selected}; }}
QMenu::item:disabled {{ color: {t.muted}; }}
QMenu::icon {{ padding-left: 8px; }}
QMenu::separator {{ height: 1px; background: {t.border}; margin: 5px 6px; }}

QLabel {{ background: transparent; }}
QLabel[role="muted"] {{ color: {t.muted}; }}
QLabel[role="help"] {{ color: {t.muted}; font-size: 9pt; }}
QLabel[role="error"] {{ color: {t.danger}; font-size: 9pt; }}
QLabel[role="title"] {{ font-size: 14pt; font-weight: 600; }}
QLabel[role="heading"] {{ font-size: 10.5pt; font-weight: 600; }}
QLabel[role="section"] {{ color: {t.muted}; font-size: 8.5pt; font-weight: 600; }}
QLabel[role="mono"] {{ font-family: "JetBrains Mono", "DejaVu Sans Mono"; font-size: 9pt; }}
QLabel[role="default"] {{ color: {t.default}; }}
QLabel[role="static"] {{ color: {t.static}; }}
QLabel[role="function"] {{ color: {t.function}; }}

QFrame#card {{ background: {t.surface}; border: 1px solid {t.border}; border-radius: 8px; }}
QFrame#cardHeader {{ border: none; border-bottom: 1px solid {t.border}; }}
QFrame#bar {{ background: {t.surface}; border: none; border-bottom: 1px solid {t.border}; }}
QFrame#side {{ background: {t.surface}; border: none; border-right: 1px solid {t.border}; }}
QFrame#bottom {{ background: {t.surface}; border: none; border-top: 1px solid {t.border}; }}
QFrame#line {{ background: {t.border}; max-height: 1px; border: none; }}
QFrame[banner="info"] {{ background: {t.accent_soft}; border-radius: 6px; }}
QFrame[banner="success"] {{ background: {t.positive_soft}; border-radius: 6px; }}
QFrame[banner="warning"] {{ background: {t.warning_soft}; border-radius: 6px; }}
QFrame[banner="error"] {{ background: {t.danger_soft}; border-radius: 6px; }}
QLabel[pill="info"] {{ background: {t.accent_soft}; color: {t.accent}; }}
QLabel[pill="neutral"] {{ background: {t.hover}; color: {t.muted}; }}
QLabel[pill="success"] {{ background: {t.positive_soft}; color: {t.positive}; }}
QLabel[pill="warning"] {{ background: {t.warning_soft}; color: {t.warning}; }}
QLabel[pill="error"] {{ background: {t.danger_soft}; color: {t.danger}; }}
QLabel[pill="function"] {{ background: {t.hover}; color: {t.function}; }}
QLabel[pill] {{ border-radius: 8px; padding: 1px 8px; font-size: 8.5pt; font-weight: 600; }}

QPushButton, QToolButton {{ background: {t.surface}; border: 1px solid {t.strong_border};
    border-radius: 6px; padding: 5px 12px; min-height: 18px; }}
QPushButton:hover, QToolButton:hover {{ background: {t.hover}; }}
QPushButton:pressed, QToolButton:pressed {{ background: {t.selected}; }}
QPushButton:focus, QToolButton:focus {{ border: 1px solid {t.accent}; }}
QPushButton:disabled, QToolButton:disabled {{ color: {t.muted}; border-color: {t.border}; }}
QPushButton[kind="primary"] {{ background: {t.accent}; color: {t.on_accent};
    border: 1px solid {t.accent}; font-weight: 600; }}
QPushButton[kind="primary"]:hover {{ border: 1px solid {t.text}; }}
QPushButton[kind="primary"]:disabled {{ background: {t.hover}; color: {t.muted};
    border-color: {t.border}; }}
QPushButton[kind="danger-primary"] {{ background: {t.danger}; color: {t.on_accent};
    border: 1px solid {t.danger}; font-weight: 600; }}
QPushButton[kind="danger-primary"]:hover {{ border: 1px solid {t.text}; }}
QPushButton[kind="danger-primary"]:disabled {{ background: {t.hover}; color: {t.muted};
    border-color: {t.border}; }}
QPushButton[kind="danger"] {{ color: {t.danger}; }}
QPushButton[kind="link"] {{ border: 1px solid transparent; background: transparent;
    color: {t.accent}; padding: 3px 6px; }}
QPushButton[kind="link"]:hover {{ background: {t.hover}; }}
QPushButton[kind="link"]:focus {{ border: 1px solid {t.accent}; }}
QToolButton[kind="flat"] {{ border: 1px solid transparent; background: transparent; padding: 4px; }}
QToolButton[kind="flat"]:hover {{ background: {t.hover}; }}
QToolButton[kind="flat"]:checked {{ background: {t.selected}; }}
QToolButton[kind="flat"]:focus {{ border: 1px solid {t.accent}; }}
QToolButton[kind="segment"] {{ border: 1px solid {t.strong_border}; border-radius: 6px;
    padding: 4px 14px; }}
QToolButton[kind="segment"]:checked {{ background: {t.accent_soft}; border: 1px solid {t.accent};
    color: {t.accent}; font-weight: 600; }}
QToolButton[target="real"]:checked {{ background: {t.danger_soft}; border: 1px solid {t.danger};
    color: {t.danger}; }}

QFileDialog QToolButton {{ padding: 3px; min-height: 0; }}

QLineEdit, QSpinBox, QComboBox, QTextEdit, QPlainTextEdit {{ background: {t.surface};
    border: 1px solid {t.strong_border}; border-radius: 6px; padding: 4px 8px;
    selection-background-color: {t.selected}; selection-color: {t.text}; }}
QLineEdit, QSpinBox, QComboBox {{ min-height: 20px; }}
QLineEdit:focus, QSpinBox:focus, QComboBox:focus, QTextEdit:focus {{
    border: 1px solid {t.accent}; }}
QLineEdit:disabled, QSpinBox:disabled, QComboBox:disabled {{ background: {t.raised};
    color: {t.muted}; border-color: {t.border}; }}
QLineEdit[invalid="true"], QSpinBox[invalid="true"], QComboBox[invalid="true"] {{
    border: 1px solid {t.danger}; }}
QComboBox::drop-down {{ border: none; width: 22px; }}
QComboBox::down-arrow {{ image: url({icons}/down-{t.name}.svg); width: 12px; height: 12px; }}
QComboBox QAbstractItemView {{ background: {t.surface}; border: 1px solid {t.strong_border};
    selection-background-color: {t.selected}; selection-color: {t.text}; padding: 4px; }}
QSpinBox::up-button, QSpinBox::down-button {{ width: 0; border: none; }}
QCheckBox, QRadioButton {{ spacing: 8px; background: transparent; }}
QCheckBox::indicator, QRadioButton::indicator, QTreeView::indicator {{ width: 16px; height: 16px;
    border: 1px solid {t.strong_border}; background: {t.surface}; }}
QCheckBox::indicator, QTreeView::indicator {{ border-radius: 4px; }}
QRadioButton::indicator {{ border-radius: 8px; }}
QCheckBox::indicator:checked, QTreeView::indicator:checked {{ background: {t.accent};
    border-color: {t.accent}; image: url({icons}/tick-{t.name}.svg); }}
QRadioButton::indicator:checked {{ border: 5px solid {t.accent}; width: 8px; height: 8px; }}
QCheckBox:focus, QRadioButton:focus {{ color: {t.accent}; }}

QLineEdit QToolButton {{ padding: 0; min-height: 0; border: none; background: transparent; }}
QTabBar QToolButton {{ padding: 0; min-height: 0; border-radius: 4px; }}

QTabWidget::pane {{ border: none; background: {t.background}; }}
QTabWidget#bottomTabs::pane {{ background: {t.surface}; border-top: 1px solid {t.border}; }}
QTabBar {{ background: {t.surface}; qproperty-drawBase: 0; }}
QTabBar::tab {{ background: transparent; color: {t.muted}; padding: 7px 14px;
    border: none; border-bottom: 2px solid transparent; }}
QTabWidget#narrow QTabBar::tab {{ padding: 7px 10px; }}
QTabBar::tab:selected {{ color: {t.text}; border-bottom: 2px solid {t.accent}; }}
QTabBar::tab:hover {{ color: {t.text}; background: {t.hover}; }}
QTabBar::tab:focus {{ color: {t.accent}; }}
QTabBar::tear {{ width: 0; image: none; }}

QTreeView, QTableView, QListView {{ background: {t.surface}; border: none;
    alternate-background-color: {t.raised}; selection-background-color: {t.selected};
    selection-color: {t.text}; gridline-color: {t.border}; }}
QTreeView::item {{ padding: 4px 2px; }}
QTreeView::item:hover, QListView::item:hover {{ background: {t.hover}; }}
QTreeView::item:selected, QListView::item:selected {{ background: {t.selected}; color: {t.text}; }}
QTableView::item {{ padding: 2px 8px; border: none; }}
QTableView::item:selected {{ background: {t.selected}; color: {t.text}; }}
QHeaderView {{ background: {t.raised}; border: none; }}
QHeaderView::section {{ background: {t.raised}; color: {t.muted}; border: none;
    border-bottom: 1px solid {t.border}; padding: 5px 8px; font-size: 9pt; font-weight: 600; }}
QTableCornerButton::section {{ background: {t.raised}; border: none; }}

QAbstractScrollArea::corner {{ background: transparent; border: none; }}
QScrollArea {{ background: transparent; border: none; }}
QScrollArea > QWidget > QWidget#page {{ background: transparent; }}
QScrollBar:vertical {{ background: transparent; width: 11px; margin: 2px; }}
QScrollBar:horizontal {{ background: transparent; height: 11px; margin: 2px; }}
QScrollBar::handle {{ background: {t.strong_border}; border-radius: 3px; min-height: 28px;
    min-width: 28px; }}
QScrollBar::handle:hover {{ background: {t.muted}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QSplitter::handle {{ background: {t.border}; }}
QSplitter::handle:horizontal {{ width: 1px; }}
QSplitter::handle:vertical {{ height: 1px; }}
QProgressBar {{ background: {t.hover}; border: none; border-radius: 3px; max-height: 6px;
    min-height: 6px; }}
QProgressBar::chunk {{ background: {t.accent}; border-radius: 3px; }}
QStatusBar {{ background: {t.surface}; border-top: 1px solid {t.border}; color: {t.muted}; }}
QStatusBar::item {{ border: none; }}
QPlainTextEdit#code {{ border: none; border-radius: 0; padding: 0; background: {t.surface}; }}
QPlainTextEdit#plain, QTextBrowser#plain {{ border: none; border-radius: 0;
    background: {t.surface}; }}
"""
