"""One published system a file."""
