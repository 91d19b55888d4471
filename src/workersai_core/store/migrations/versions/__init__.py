"""The revisions of the engine's tables, oldest first."""
