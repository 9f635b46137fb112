"""Stills: what a view shows, drawn without a browser, for paper, slides, and where no script runs."""
