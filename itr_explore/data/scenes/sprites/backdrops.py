"""The six settings under open sky and under a roof: what is there before anything stands in it."""

from __future__ import annotations

from collections.abc import Callable
from math import cos, pi, sin
from random import Random

from PIL import Image

from itr_explore.data.scenes.sprites import textures
from itr_explore.data.scenes.sprites.layers import Outline, gradient, light, ridge, silhouette
from itr_explore.data.scenes.sprites.paint import Colour, mix
from itr_explore.data.scenes.sprites.room import room
from itr_explore.data.scenes.sprites.shapes import blob, ellipse
from itr_explore.data.scenes.world import HORIZON, Scene

Size = tuple[int, int]


def _sky(size: Size, setting: str, *stops: Colour) -> Image.Image:
    """A picture whose sky reaches a little below the horizon."""
    picture = Image.new("RGB", size)
    picture.paste(gradient((size[0], round(size[1] * HORIZON[setting]) + 8), *stops), (0, 0))
    return picture


def _ground(
    picture: Image.Image, top: float, texture: Image.Image | None, shift: int, *stops: Colour
) -> None:
    row = round(top * picture.height)
    picture.paste(gradient((picture.width, picture.height - row), *stops), (0, row))
    if texture is not None:
        textures.apply(picture, texture, row, shift)


def _below(size: Size, top: float) -> Size:
    return size[0], size[1] - round(top * size[1])


def _sun(picture: Image.Image, random: Random) -> None:
    x, y = random.uniform(0.06, 0.4), random.uniform(0.06, 0.18)
    light(picture, x, y, 0.42, (255, 250, 214), 0.75)
    r = random.uniform(0.04, 0.055)
    disc = [(x + px * r * 0.75, y + py * r) for px, py in ellipse(0, 0, 1).points]
    silhouette(picture, [disc], (255, 250, 216), (255, 236, 166))


def _wisps(picture: Image.Image, random: Random, tone: Colour, count: int, lowest: float) -> None:
    """Clouds far away: long, flat, faint."""
    for _ in range(count):
        x, y, r = random.uniform(-0.05, 0.95), random.uniform(0.05, lowest), random.uniform(0.02, 0.035)
        puffs = [(0, 0, 3.2, 0.6), (-0.9, -0.5, 1.1, 0.8), (0.5, -0.8, 1.4, 1.0), (1.6, -0.3, 1.0, 0.6)]
        outlines = [[(x + (dx + px * rx) * r, y + (dy + py * ry) * r) for px, py in ellipse(0, 0, 1).points]
                    for dx, dy, rx, ry in puffs]  # fmt: skip
        silhouette(picture, outlines, tone, tone, opacity=0.62)


def _ridge(random: Random, level: float, swing: float, count: int = 7) -> Outline:
    return ridge([level - swing * random.random() for _ in range(count)], 1.0)


def meadow(scene: Scene, size: Size, random: Random) -> Image.Image:
    """Rolling hills under a summer sky."""
    top, low = random.choice(
        (
            ((104, 176, 232), (206, 236, 246)),
            ((126, 190, 226), (248, 236, 208)),
            ((92, 160, 222), (222, 240, 238)),
        )
    )
    picture = _sky(size, "meadow", top, low)
    _sun(picture, random)
    _wisps(picture, random, (255, 255, 255), 3, 0.3)
    warm = random.random()
    silhouette(picture, [_ridge(random, 0.47, 0.16)], (150, 192, 196), (172, 206, 170))
    silhouette(
        picture, [_ridge(random, 0.505, 0.10)], mix((128, 180, 138), (160, 190, 120), warm), (150, 194, 120)
    )
    field = (
        mix((148, 196, 104), (170, 200, 100), warm),
        mix((112, 172, 84), (136, 176, 80), warm),
        mix((84, 148, 74), (106, 150, 68), warm),
    )
    _ground(picture, 0.51, textures.grass(_below(size, 0.51)), random.randrange(size[0]), *field)
    silhouette(
        picture,
        [_ridge(random, 0.535, 0.035, 6)[:-2] + [(1.05, 0.56), (-0.05, 0.56)]],
        field[0],
        field[0],
        opacity=0.6,
    )
    light(picture, random.uniform(0.1, 0.5), 0.62, 0.5, (250, 244, 170), 0.22)
    return picture


def beach(scene: Scene, size: Size, random: Random) -> Image.Image:
    """Sand before a sea with waves."""
    picture = _sky(
        size, "beach", *random.choice((((86, 178, 232), (216, 240, 246)), ((110, 184, 224), (255, 232, 204))))
    )
    _sun(picture, random)
    _wisps(picture, random, (255, 255, 255), 2, 0.26)
    sea = random.uniform(0.345, 0.365)
    if random.random() < 0.6:
        x = random.uniform(0.1, 0.9)
        hill = [
            (x + 0.0125 * px, sea + 0.01 + 0.01 * py)
            for px, py in blob((-14, 1), (-7, -3), (0, -5), (5, -2.4), (14, 1)).points
        ]
        silhouette(picture, [hill], (142, 182, 192), (160, 196, 196))
    _ground(
        picture,
        sea,
        None,
        0,
        (52, 140, 186),
        (58, 164, 194),
        (108, 204, 204),
        (176, 228, 214),
        (232, 216, 168),
        (232, 216, 168),
    )
    crests = []
    for row in range(26):
        near = row / 26
        y, x, w = (
            sea + 0.01 + 0.125 * near,
            random.uniform(-0.05, 1),
            random.uniform(0.02, 0.05) + 0.06 * near,
        )
        h = 0.0018 + 0.0035 * near
        crests.append(
            [(x, y), (x + w * 0.3, y - h), (x + w * 0.7, y - h), (x + w, y), (x + w * 0.5, y + h * 0.4)]
        )
    silhouette(picture, crests, (232, 248, 250), (246, 255, 252), opacity=0.62)
    shore = [0.495 + random.uniform(-0.009, 0.009) for _ in range(8)]
    edge = lambda dy: ridge([y + dy for y in shore], 1.0)  # noqa: E731
    silhouette(picture, [edge(-0.004)], (250, 255, 252), (250, 255, 252))
    silhouette(picture, [edge(0.009)], (196, 176, 134), (206, 184, 138))
    warm = random.random()
    dry = ridge([y + 0.04 + random.uniform(-0.008, 0.008) for y in shore], 1.0)
    silhouette(
        picture,
        [dry],
        mix((238, 218, 168), (246, 224, 180), warm),
        mix((226, 196, 138), (236, 202, 150), warm),
    )
    row = round(0.5 * size[1])
    textures.apply(picture, textures.sand((size[0], size[1] - row)), row, random.randrange(size[0]))
    return picture


def _skyline(random: Random, lowest: float, highest: float, foot: float) -> tuple[list, list]:
    """Flat-roofed blocks side by side, and their windows, as outlines."""
    blocks, windows, x = [], [], -0.03
    while x < 1.0:
        wide, top = random.uniform(0.05, 0.11), random.uniform(highest, lowest)
        step = random.choice((0, 0, 0.02))
        blocks.append([(x, foot), (x, top + step), (x + wide * 0.3, top + step), (x + wide * 0.3, top),
                       (x + wide, top), (x + wide, foot)])  # fmt: skip
        columns = max(2, int(wide / 0.022))
        for column in range(columns):
            left, y = x + wide * (column + 0.25) / columns, top + step + 0.022
            while y < foot - 0.05:
                if random.random() < 0.75:
                    windows.append(
                        [(left, y), (left + 0.009, y), (left + 0.009, y + 0.017), (left, y + 0.017)]
                    )
                y += 0.036
        x += wide + random.choice((0, 0, 0.012))
    return blocks, windows


def city(scene: Scene, size: Size, random: Random) -> Image.Image:
    """A street before a skyline."""
    picture = _sky(
        size, "city", *random.choice((((136, 188, 226), (238, 236, 224)), ((166, 186, 216), (250, 224, 204))))
    )
    _wisps(picture, random, (255, 255, 255), 2, 0.2)
    far, _ = _skyline(random, 0.36, 0.18, 0.58)
    silhouette(picture, far, (176, 196, 216), (206, 214, 222))
    near, windows = _skyline(random, 0.44, 0.28, 0.58)
    hue = random.choice(((148, 160, 184), (170, 160, 172), (150, 170, 174)))
    silhouette(picture, near, hue, mix(hue, (222, 218, 214), 0.5))
    silhouette(picture, windows, (214, 228, 236), (228, 234, 232), opacity=0.75)
    pave = random.choice(((214, 206, 194), (200, 200, 204)))
    _ground(
        picture,
        0.55,
        textures.slabs(_below(size, 0.55)),
        random.randrange(-30, 30),
        mix(pave, (255, 255, 255), 0.15),
        pave,
        mix(pave, (120, 112, 120), 0.2),
    )
    top = random.uniform(0.615, 0.66)
    foot = top + random.uniform(0.17, 0.2)
    row, end = round(top * size[1]), round(foot * size[1])
    picture.paste(gradient((size[0], end - row), (116, 118, 130), (100, 102, 114)), (0, row))
    textures.apply(picture, textures.asphalt((size[0], end - row)), row)
    kerb = [
        [(-0.1, y), (1.1, y), (1.1, y + thick), (-0.1, y + thick)]
        for y, thick in ((top - 0.012, 0.012), (foot, 0.016))
    ]
    silhouette(picture, kerb, (226, 222, 216), (206, 202, 200))
    silhouette(
        picture,
        [[(-0.1, foot - 0.006), (1.1, foot - 0.006), (1.1, foot), (-0.1, foot)]],
        (70, 70, 82),
        (70, 70, 82),
        opacity=0.6,
    )
    start, middle = random.uniform(-0.14, 0), (top + foot) / 2
    dashes = [[(x, middle), (x + 0.075, middle), (x + 0.071, middle + 0.014), (x - 0.004, middle + 0.014)]
              for x in (start + 0.15 * k for k in range(9))]  # fmt: skip
    silhouette(picture, dashes, (244, 240, 224), (244, 240, 224), opacity=0.9)
    return picture


def night(scene: Scene, size: Size, random: Random) -> Image.Image:
    """Hills in the moonlight, with stars."""
    picture = _sky(
        size,
        "night",
        (22, 28, 72),
        (44, 58, 120),
        random.choice(((98, 106, 168), (118, 104, 160), (84, 116, 164))),
    )
    stars = []
    for _ in range(70):
        x, y, r = random.random(), 0.5 * random.random() ** 1.2, random.choice((0.0016, 0.0022, 0.0032))
        stars.append([(x - r, y), (x, y - r * 1.33), (x + r, y), (x, y + r * 1.33)])
    silhouette(picture, stars, (255, 252, 226), (226, 232, 255), opacity=0.9)
    x, y, r = random.uniform(0.08, 0.42), random.uniform(0.09, 0.2), random.uniform(0.055, 0.075)
    light(picture, x, y, 0.4, (206, 220, 255), 0.5)
    disc = [(x + px * r * 0.75, y + py * r) for px, py in ellipse(0, 0, 1).points]
    if random.random() < 0.5:
        silhouette(picture, [disc], (255, 250, 226), (240, 230, 196))
        craters = [[(x + (cx + px * cr) * r * 0.75, y + (cy + py * cr) * r) for px, py in ellipse(0, 0, 1).points]
                   for cx, cy, cr in ((-0.3, -0.2, 0.2), (0.3, 0.3, 0.26), (0.35, -0.4, 0.13))]  # fmt: skip
        silhouette(picture, craters, (226, 218, 188), (226, 218, 188), opacity=0.7)
    else:
        silhouette(picture, [_crescent(x, y, r)], (255, 250, 226), (244, 234, 200))
    silhouette(picture, [_ridge(random, 0.49, 0.13)], (62, 78, 132), (66, 88, 128))
    silhouette(picture, [_ridge(random, 0.525, 0.09)], (52, 78, 116), (56, 92, 112))
    _ground(
        picture,
        0.53,
        textures.grass(_below(size, 0.53), 0.8),
        random.randrange(size[0]),
        (84, 124, 128),
        (64, 102, 112),
        (46, 78, 98),
    )
    light(picture, x + 0.1, 0.66, 0.55, (176, 206, 226), 0.25)
    return picture


def _crescent(x: float, y: float, radius: float) -> Outline:
    """A waxing moon: half its rim, and back along the shadow's edge; x, y and radius in picture fractions."""
    outline = []
    for k in range(33):
        a = pi * (k / 16 - 0.5)
        across, down = (cos(a) if k <= 16 else -0.42 * cos(a)), sin(a)
        tilted = across * 0.9 - down * 0.43, across * 0.43 + down * 0.9
        outline.append((x + 0.75 * radius * tilted[0], y + radius * tilted[1]))
    return outline


def snow(scene: Scene, size: Size, random: Random) -> Image.Image:
    """Mountains and drifts on a winter's day."""
    picture = _sky(
        size, "snow", *random.choice((((150, 186, 220), (228, 238, 248)), ((168, 184, 214), (250, 232, 226))))
    )
    _sun(picture, random)
    peaks, caps, x = [], [], -0.15
    while x < 1.05:
        wide, top = random.uniform(0.22, 0.4), random.uniform(0.18, 0.34)
        peaks.append([(x, 0.56), (x + wide / 2, top), (x + wide, 0.56)])
        share, zig = random.uniform(0.35, 0.5), 0.02
        left, right, y = x + wide / 2 * (1 - share), x + wide / 2 * (1 + share), top + share * (0.56 - top)
        caps.append([(x + wide / 2, top), (right, y), (right - 0.25 * (right - left), y - zig), ((left + right) / 2, y + zig * 0.6),
                     (left + 0.25 * (right - left), y - zig), (left, y)])  # fmt: skip
        x += wide * random.uniform(0.5, 0.75)
    silhouette(picture, peaks, (138, 162, 196), (188, 206, 228))
    silhouette(picture, caps, (255, 255, 255), (236, 244, 252))
    silhouette(picture, [[cap[0], cap[1], cap[2], cap[3]] for cap in caps], (206, 220, 240), (206, 220, 240))
    silhouette(picture, [_ridge(random, 0.52, 0.07)], (226, 236, 248), (212, 226, 244))
    _ground(picture, 0.525, None, 0, (232, 240, 250), (220, 231, 246), (202, 217, 240))
    silhouette(picture, [_ridge(random, 0.545, 0.045)], (238, 244, 252), (214, 227, 245), (198, 214, 239))
    for level in (0.66, 0.82):
        silhouette(
            picture,
            [_ridge(random, level + 0.04, 0.05, 5)],
            (240, 246, 254),
            (216, 228, 246),
            (200, 216, 240),
            opacity=0.75,
        )
    row = round(0.55 * size[1])
    textures.apply(picture, textures.snow((size[0], size[1] - row)), row, random.randrange(size[0]))
    return picture


def flakes(picture: Image.Image, random: Random) -> None:
    """A few snowflakes in front of everything."""
    outlines = []
    for _ in range(34):
        x, y, r = random.random(), random.random(), random.choice((0.0026, 0.0034, 0.0046))
        outlines.append([(x + px * r * 0.75, y + py * r) for px, py in ellipse(0, 0, 1).points[::4]])
    silhouette(picture, outlines, (255, 255, 255), (255, 255, 255), opacity=0.85)


BACKDROPS: dict[str, Callable[[Scene, Size, Random], Image.Image]] = {
    "meadow": meadow, "beach": beach, "city": city, "room": room, "night": night, "snow": snow,
}  # fmt: skip
