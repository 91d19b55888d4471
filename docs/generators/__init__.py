"""One module per generated page of the reference."""
