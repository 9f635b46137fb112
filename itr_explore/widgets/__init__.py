"""State and wiring of what is shown in a notebook."""
