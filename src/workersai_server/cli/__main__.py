"""``python -m workersai_server.cli``: the command line without its installed script."""

from __future__ import annotations

from workersai_server.cli import main

if __name__ == "__main__":
    main()
