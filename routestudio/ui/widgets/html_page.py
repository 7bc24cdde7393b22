"""Rich text in the colours of the theme."""

from __future__ import annotations

from routestudio.ui.theme import theme


def page(body: str) -> str:
    """A page of rich text. Classes: `name`, `muted`, `default`, `static`, `function`, `error`,
    `warning`, `good`, `over` (struck through)."""
    t = theme().tokens
    return f"""<style>
        body {{ color: {t.text}; }} p {{ margin: 4px 0; }} a {{ color: {t.accent}; }}
        td {{ padding: 3px 14px 3px 0; vertical-align: top; }}
        .name {{ font-weight: 600; }} .muted {{ color: {t.muted}; }}
        .default {{ color: {t.default}; }} .static {{ color: {t.static}; }}
        .function {{ color: {t.function}; }} .error {{ color: {t.danger}; }}
        .warning {{ color: {t.warning}; }} .good {{ color: {t.positive}; }}
        .over {{ color: {t.muted}; text-decoration: line-through; }}
        </style><body>{body}</body>"""
