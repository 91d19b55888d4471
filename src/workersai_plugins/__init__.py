"""The bundled task types, one module each; they use what any plugin may use and nothing else."""
