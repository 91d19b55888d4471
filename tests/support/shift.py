"""One item in the worker console of a real browser, from its creation to its response."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

__all__ = ["give", "response_of", "submit"]


def give(page: Page, world: Any, task_type: str, params: dict[str, Any], **fields: Any) -> str:
    """Create a task, show it to the worker, and return its id; its widget, if it has one, is there."""
    task = world.requester.tasks.create(task_type=task_type, params=params, **fields)
    page.reload()
    page.wait_for_selector(".wai-item")
    return str(task["external_id"])


def submit(page: Page) -> None:
    """Send the answer with the key, and wait until there is nothing more to do."""
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".wai-nothing")


def response_of(world: Any, task_id: str) -> Any:
    """Return the response of a task that was submitted."""
    return world.requester.tasks.wait(task_id, timeout_s=20)["response"]
