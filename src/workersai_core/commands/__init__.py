"""What the engine does to tasks: one module for each noun, functions over an open transaction."""
