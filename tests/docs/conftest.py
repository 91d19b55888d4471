from __future__ import annotations

import pytest

from support.documented import documented


@pytest.fixture(scope="session")
def service(tmp_path_factory):
    """The service that the documentation talks to."""
    with documented(tmp_path_factory.mktemp("documented")) as running:
        yield running
