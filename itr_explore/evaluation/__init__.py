"""Recall, grounding and the controls beside them."""
