"""`workersai demo`: the whole service on this machine, with nothing to prepare."""
