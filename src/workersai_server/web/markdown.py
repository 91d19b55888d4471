"""Markdown that somebody else wrote, as HTML that is safe to show.

The renderer lets no HTML through, and what it makes is cleaned again by a
parser that knows only the elements below.
"""

from __future__ import annotations

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

__all__ = ["rendered"]

_PROSE = MarkdownIt("commonmark", {"html": False}).enable("table")
_LINES = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable("table")
_ELEMENTS = {
    "a", "blockquote", "br", "code", "em", "h1", "h2", "h3", "h4", "hr", "img", "li", "ol", "p", "pre", "strong",
    "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_ATTRIBUTES = {"a": {"href", "title"}, "img": {"src", "alt", "title"}}


def rendered(text: str, *, keep_lines: bool = False) -> Markup:
    """Return Markdown as HTML.

    Args:
        text: The Markdown.
        keep_lines: Whether a line stays a line, as people who do not know Markdown expect.
    """
    html = nh3.clean(
        (_LINES if keep_lines else _PROSE).render(text),
        tags=_ELEMENTS,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={
            "a": {"target": "_blank"},
            "img": {"loading": "lazy", "referrerpolicy": "no-referrer"},
            "pre": {"tabindex": "0"},  # what scrolls must be reachable by keyboard
        },
    )
    return Markup(html)  # noqa: S704 - cleaned on the line before
