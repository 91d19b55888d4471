from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from support.api import Api
from support.api import api as make


@pytest.fixture
def api() -> Iterator[Api]:
    """The API with its default settings, and an account without limit."""
    made = make()
    yield made
    made.house.engine.close()


@pytest.fixture(scope="module")
def shared_api() -> Iterator[Api]:
    """The same for all tests of a module that leave nothing behind."""
    made = make()
    yield made
    made.house.engine.close()


@pytest.fixture
def api_with() -> Iterator[Callable[..., Api]]:
    """Make the API under settings of the test's own."""
    with ExitStack() as stack:

        def under(**settings: Any) -> Api:
            made = make(**settings)
            stack.callback(made.house.engine.close)
            return made

        yield under
