"""A collection encoded once, and searched by text or by image."""
