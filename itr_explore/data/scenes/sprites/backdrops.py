"""Which function paints which setting."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from PIL import Image

from itr_explore.data.scenes.sprites.beach import beach
from itr_explore.data.scenes.sprites.city import city
from itr_explore.data.scenes.sprites.layers import Size
from itr_explore.data.scenes.sprites.meadow import meadow
from itr_explore.data.scenes.sprites.night import night
from itr_explore.data.scenes.sprites.room import room
from itr_explore.data.scenes.sprites.snow import snow
from itr_explore.data.scenes.world import Scene

BACKDROPS: dict[str, Callable[[Scene, Size, Random], Image.Image]] = {
    "meadow": meadow, "beach": beach, "city": city, "room": room, "night": night, "snow": snow,
}  # fmt: skip
