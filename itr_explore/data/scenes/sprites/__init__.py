"""How each kind of thing, each setting and each bit of clutter is drawn."""
