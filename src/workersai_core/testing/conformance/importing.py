"""How long a module takes to import, measured in a fresh interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
from types import ModuleType

__all__ = ["import_seconds"]

_TRIES = 3
_TIMEOUT_S = 60
_PROGRAM = """
import importlib, importlib.util, sys, time
import workersai_core.api

name, path = sys.argv[1:]
start = time.process_time()
try:
    found = importlib.util.find_spec(name)
except (ImportError, ValueError):
    found = None
if found is not None and found.origin == path:
    importlib.import_module(name)
else:
    found = importlib.util.spec_from_file_location("measured", path)
    module = importlib.util.module_from_spec(found)
    sys.modules["measured"] = module
    found.loader.exec_module(module)
print(time.process_time() - start)
"""


def import_seconds(module: ModuleType, enough: float) -> float:
    """Return the processor time that importing a module takes beyond the plugin API.

    It is 0.0 for a module without a file, for a test file and for the main
    program: no service imports those.

    Args:
        module: It was imported before, by its name or from a file.
        enough: Below this many seconds one measurement will do; else the best of three counts.

    Raises:
        RuntimeError: it cannot be imported in a fresh interpreter.
    """
    name = module.__name__.rpartition(".")[2]
    if not getattr(module, "__file__", None) or name == "__main__" or name.startswith("test_"):
        return 0.0
    best = _measured(module)
    for _ in range(_TRIES - 1):
        if best < enough:
            break
        best = min(best, _measured(module))
    return best


def _measured(module: ModuleType) -> float:
    command = [sys.executable, "-c", _PROGRAM, module.__name__, str(module.__file__)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(  # noqa: S603 - our own program and a module that this process has imported
        command, env=environment, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["it ended without a word"]
        raise RuntimeError(f"{module.__file__} cannot be imported in a fresh interpreter: {lines[-1]}")
    return float(done.stdout.split()[-1])
