"""All that lies about and is never mentioned; nothing in it may be taken for a thing of the world."""

from __future__ import annotations

from itr_explore.data.scenes.sprites import clutter_indoors, clutter_nature, clutter_outdoors

SPRITES = {**clutter_nature.SPRITES, **clutter_outdoors.SPRITES, **clutter_indoors.SPRITES}
