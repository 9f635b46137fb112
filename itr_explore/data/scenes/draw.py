"""Pictures of scenes: a backdrop, then everything in it from back to front.

Drawn with pillow, two to four times too large and reduced, so that edges are smooth. The same scene gives the
same pixels. A thing fills its box from edge to edge; only its shadow, and its light at night, may leave it.
"""

from __future__ import annotations

from random import Random

from PIL import Image, ImageChops

from itr_explore.data.scenes.sprites import (
    animals,
    buildings,
    clutter,
    furniture,
    plants,
    sky,
    textures,
    toys,
    vehicles,
)
from itr_explore.data.scenes.sprites.backdrops import BACKDROPS
from itr_explore.data.scenes.sprites.colours import GLOW, Colour, Ink
from itr_explore.data.scenes.sprites.layers import ellipse_light
from itr_explore.data.scenes.sprites.paint import Brush
from itr_explore.data.scenes.sprites.snow import flakes
from itr_explore.data.scenes.world import HEIGHT, WIDTH, Box, Clutter, Scene, Thing, aloft

SPRITES = {
    **animals.SPRITES, **vehicles.SPRITES, **plants.SPRITES, **buildings.SPRITES,
    **furniture.SPRITES, **toys.SPRITES, **sky.SPRITES,
}  # fmt: skip
RIMS: dict[str, tuple[Colour, float]] = {"night": ((188, 206, 255), 0.42)}  # light along upper left edges
DAY: tuple[Colour, float] = ((255, 250, 230), 0.24)
MOONLIGHT: tuple[Colour, float] = ((34, 44, 110), 0.13)
LIT = frozenset(("house", "tower", "windmill", "tent", "lamp"))  # what glows at night
LINE = 1.25  # of outlines, in pixels of a picture 240 high
SHADOWS: dict[str, Colour] = {
    "meadow": (40, 70, 50), "beach": (120, 90, 70), "city": (54, 50, 66), "room": (80, 50, 40),
    "night": (12, 22, 48), "snow": (110, 130, 176),
}  # fmt: skip


def draw(scene: Scene, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Image.Image:
    """The picture of a scene: RGB, `size` is (width, height) in pixels."""
    if min(size) < 32:
        raise ValueError(f"size must be at least 32 x 32 pixels, got {size[0]} x {size[1]}")
    picture = BACKDROPS[scene.setting](scene, size, Random(scene.seed))
    line = LINE * size[1] / HEIGHT
    pieces: list[Thing | Clutter] = [*scene.clutter, *scene.things]
    for piece in sorted(pieces, key=lambda piece: piece.depth):
        area = pixels(piece.box, size)
        wide, high = area[2] - area[0], area[3] - area[1]
        if isinstance(piece, Thing):
            sprite = draw_thing(piece, wide, high, scene.setting, line)
        else:
            sprite = draw_clutter(piece, wide, high, scene.setting, line)
        if _casts_shadow(piece):
            _shadow(picture, area, SHADOWS[scene.setting])
        if scene.setting == "night" and piece.kind in LIT:
            _halo(picture, area)
        picture.paste(sprite, area[:2], sprite)
    if scene.setting == "snow":
        flakes(picture, Random(scene.seed + 1))
    return ImageChops.add(picture, textures.grain(size), 1, -128)


def draw_thing(
    thing: Thing, width: int, height: int, setting: str = "meadow", line: float = LINE
) -> Image.Image:
    """One thing by itself: RGBA of exactly (width, height) pixels, filled from edge to edge.

    `line` is the width of its outlines in pixels.
    """
    random = Random(thing.seed)
    ink = Ink.of(thing.colour, random, night=setting == "night")
    brush = Brush(100 * width / height, height, mirror=random.random() < 0.5, line=line)
    SPRITES[thing.kind](brush, ink, random)
    return _light(brush, width, height, setting)


def draw_clutter(piece: Clutter, width: int, height: int, setting: str, line: float = LINE) -> Image.Image:
    """One piece of clutter by itself: RGBA of exactly (width, height) pixels."""
    random = Random(piece.seed)
    brush = Brush(100 * width / height, height, mirror=random.random() < 0.5, line=line)
    clutter.SPRITES[piece.kind](brush, setting, random)
    return _light(brush, width, height, setting)


def pixels(box: Box, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """A box in whole pixels, at least 4 wide and high."""
    left, top = round(box[0] * size[0]), round(box[1] * size[1])
    right, bottom = round(box[2] * size[0]), round(box[3] * size[1])
    return left, top, max(right, left + 4), max(bottom, top + 4)


def _light(brush: Brush, width: int, height: int, setting: str) -> Image.Image:
    rim, strength = RIMS.get(setting, DAY)
    sprite = brush.finish(width, height, rim, strength)
    if setting == "night":
        tone, share = MOONLIGHT
        dimmed = Image.blend(sprite, Image.new("RGBA", sprite.size, (*tone, 255)), share)
        dimmed.putalpha(sprite.getchannel("A"))
        return dimmed
    return sprite


def _casts_shadow(piece: Thing | Clutter) -> bool:
    if isinstance(piece, Thing):
        return not aloft(piece)
    return piece.kind not in ("cloud", "picture", "shelf", "rug")


def _shadow(picture: Image.Image, area: tuple[int, int, int, int], tone: Colour) -> None:
    """Where it touches the ground, and a fainter one away from the light."""
    left, top, right, bottom = area
    wide, high = right - left, bottom - top
    deep = max(3.0, 0.05 * high + 0.035 * wide)
    ellipse_light(
        picture, (left - 0.02 * wide, bottom - 1.5 * deep, right + 0.22 * wide, bottom + deep), tone, 0.55
    )
    ellipse_light(picture, (left, bottom - 0.9 * deep, right + 0.04 * wide, bottom + 0.8 * deep), tone, 0.6)


def _halo(picture: Image.Image, area: tuple[int, int, int, int]) -> None:
    """Lamplight around something lit."""
    left, top, right, bottom = area
    wide, high = right - left, bottom - top
    ellipse_light(
        picture, (left - 0.6 * wide, top - 0.1 * high, right + 0.6 * wide, bottom + 0.35 * high), GLOW, 0.5
    )
