"""The room: a papered wall with a window, a skirting board, and a wooden floor."""

from __future__ import annotations

from random import Random

from PIL import Image

from itr_explore.data.scenes.sprites import textures
from itr_explore.data.scenes.sprites.colours import Colour, darker, lighter, mix
from itr_explore.data.scenes.sprites.layers import gradient, light, silhouette
from itr_explore.data.scenes.sprites.paint import Brush
from itr_explore.data.scenes.sprites.shapes import blob, box, ellipse, polygon
from itr_explore.data.scenes.world import HORIZON, Scene

WALLS: tuple[Colour, ...] = (
    (234, 222, 198), (204, 218, 214), (226, 208, 208), (208, 212, 226), (220, 222, 198),
)  # fmt: skip
FLOORS: tuple[Colour, ...] = ((198, 154, 108), (176, 132, 96), (212, 174, 130))


def room(scene: Scene, size: tuple[int, int], random: Random) -> Image.Image:
    """Wall, window and floor; paper, wood and the window's place differ from room to room."""
    width, height = size
    wall, floor = random.choice(WALLS), random.choice(FLOORS)
    row = round(HORIZON["room"] * height)
    picture = Image.new("RGB", size)
    picture.paste(gradient((width, row), lighter(wall, 0.25), wall), (0, 0))
    textures.apply(picture, textures.wallpaper((width, row), random.randrange(4)), 0)
    light(picture, 0.1, 0.05, 0.8, (255, 250, 226), 0.35)
    picture.paste(gradient((width, height - row), darker(floor, 0.08), floor, lighter(floor, 0.12)), (0, row))
    textures.apply(picture, textures.boards((width, height - row)), row)
    trim = mix(lighter(wall, 0.7), (255, 255, 255), 0.3)
    silhouette(picture, [[(-0.1, 0.562), (1.1, 0.562), (1.1, 0.6), (-0.1, 0.6)]], trim, darker(trim, 0.12))
    silhouette(
        picture,
        [[(-0.1, 0.6), (1.1, 0.6), (1.1, 0.612), (-0.1, 0.612)]],
        darker(floor, 0.5),
        floor,
        opacity=0.55,
    )
    silhouette(
        picture,
        [[(-0.1, 0.559), (1.1, 0.559), (1.1, 0.5625), (-0.1, 0.5625)]],
        darker(wall, 0.3),
        darker(wall, 0.3),
    )
    free = [x for x in (0.06, 0.22, 0.4, 0.58, 0.74) if not any(
        piece.kind in ("picture", "shelf") and piece.box[0] < x + 0.21 and piece.box[2] > x - 0.01
        for piece in scene.clutter)]  # fmt: skip
    x = random.choice(free) if free else None
    if x is not None:
        pane = _window(random, round(0.2 * width), round(0.36 * height))
        picture.paste(pane, (round(x * width), round(0.07 * height)), pane)
        beam = [(x + 0.06, 0.64), (x + 0.2, 0.64), (x + 0.34, 0.96), (x + 0.12, 0.96)]
        silhouette(picture, [beam], (255, 246, 206), (255, 246, 206), opacity=0.2)
    return picture


def _window(random: Random, width: int, height: int) -> Image.Image:
    """RGBA of a window with curtains."""
    wide = 100 * width / height
    brush = Brush(wide, height)
    cloth: Colour = random.choice(((214, 164, 150), (150, 176, 182), (222, 196, 140), (178, 160, 190)))
    frame: Colour = (252, 250, 244)
    sky = random.choice(((150, 206, 240), (170, 214, 236), (250, 214, 178)))
    brush.body(frame, box(4, 6, wide - 4, 92, 1.5))
    view = box(8, 10, wide - 8, 88)
    brush.flat(sky, view)
    brush.pattern(lighter(sky, 0.5), view, ellipse(wide * 0.35, 30, 9, 4), ellipse(wide * 0.5, 26, 10, 5))
    brush.pattern(
        (158, 196, 138),
        view,
        blob((0, 70), (wide * 0.3, 62), (wide * 0.7, 72), (wide, 64), (wide, 95), (0, 95)),
    )
    brush.flat(
        lighter(sky, 0.6), polygon((wide * 0.3, 10), (wide * 0.42, 10), (wide * 0.16, 88), (8, 88), (8, 80))
    )
    brush.flat(frame, box(wide / 2 - 1.5, 8, wide / 2 + 1.5, 90), box(6, 46, wide - 6, 49))
    brush.body(frame, box(1, 90, wide - 1, 96, 1.5))
    for side in (1, -1):

        def at(x: float, side: int = side) -> float:
            return x if side == 1 else wide - x

        drape = blob(
            (at(1), 3),
            (at(12), 3),
            (at(20), 4),
            (at(16), 30),
            (at(9), 58),
            (at(11), 84),
            (at(6), 98),
            (at(1), 96),
            (at(0.5), 50),
        )
        brush.body(cloth, drape, soft=0.4)
        brush.flat(darker(cloth, 0.2), polygon((at(6), 6), (at(7.5), 6), (at(5.5), 94), (at(4.5), 94)))
        brush.flat(darker(cloth, 0.2), polygon((at(13), 6), (at(14.2), 6), (at(8), 54), (at(7.4), 54)))
    brush.body((170, 128, 92), box(-1, 0.5, wide + 1, 3.5, 1.4))
    return brush.finish(width, height, (255, 252, 240), 0.1)
