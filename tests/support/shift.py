"""One item in the worker console of a real browser, from its creation to its response."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import unquote_plus

from playwright.sync_api import Page, Response

__all__ = ["Picture", "give", "response_of", "saved", "submit"]


def give(page: Page, world: Any, task_type: str, params: dict[str, Any], **fields: Any) -> str:
    """Create a task, show it to the worker, and return its id; its widget, if it has one, is there."""
    task = world.requester.tasks.create(task_type=task_type, params=params, **fields)
    page.reload()
    page.wait_for_selector(".wai-item")
    return str(task["external_id"])


def saved(page: Page, text: str) -> AbstractContextManager[Any]:
    """Wait at the end of a `with` block until a draft with this text is stored."""

    def has_it(response: Response) -> bool:
        return response.url.endswith("/draft") and text in unquote_plus(response.request.post_data or "")

    return page.expect_response(has_it)


def submit(page: Page) -> None:
    """Send the answer with the key, and wait until there is nothing more to do."""
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".wai-nothing")


def response_of(world: Any, task_id: str) -> Any:
    """Return the response of a task that was submitted."""
    return world.requester.tasks.wait(task_id, timeout_s=20)["response"]


class Picture:
    """A picture that is marked: where its pixels are in the window, and what has been marked.

    Args:
        page: The page, with the picture on the screen.
        width: Of the picture in pixels.
        height: The same.
    """

    def __init__(self, page: Page, width: int, height: int) -> None:
        self.page = page
        self.width = width
        self.height = height
        self.page.locator(".wai-stage").scroll_into_view_if_needed()

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return where a pixel of the picture is in the window."""
        box = self.page.locator(".wai-view svg").bounding_box()
        assert box is not None
        return box["x"] + box["width"] * x / self.width, box["y"] + box["height"] * y / self.height

    def click(self, x: float, y: float) -> None:
        """Click on a pixel."""
        self.page.mouse.click(*self.at(x, y))

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Drag from one pixel to another."""
        self.page.mouse.move(*self.at(*start))
        self.page.mouse.down()
        self.page.mouse.move(*self.at(*end), steps=4)
        self.page.mouse.up()

    def marked(self) -> Any:
        """Return what the form would send."""
        return json.loads(self.page.locator("[name='response/annotations=']").input_value())
