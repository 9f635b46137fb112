from itertools import combinations

import numpy as np
import pytest

from itr_explore.viz import theme

DEFICIENCIES = {  # Machado, Oliveira, Fernandes (2009), severity 1, on linear RGB
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}  # fmt: skip


def linear(colour):
    values = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """CIE Lab (D65) of linear RGB."""
    matrix = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = np.array(matrix) @ np.clip(rgb, 0, 1) / [0.9505, 1.0, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(one, other):
    light = sorted(linear(colour) @ [0.2126, 0.7152, 0.0722] + 0.05 for colour in (one, other))
    return light[1] / light[0]


def test_the_ramp_for_weights_darkens_in_even_steps():
    steps = -np.diff([lab(linear(colour))[0] for colour in theme.SEQUENTIAL])
    assert steps.min() > 0.7 * steps.mean()
    assert steps.max() < 1.3 * steps.mean()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_both_arms_of_the_diverging_ramp_are_alike_and_zero_lies_near_the_paper(dark):
    light = np.array([lab(linear(colour))[0] for colour in theme.diverging(dark)])
    assert np.abs(light[:5] - light[:5:-1]).max() < 6
    paper = lab(linear((theme.DARK if dark else theme.LIGHT)["paper"]))[0]
    assert np.argmin(np.abs(light - paper)) == 5


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_the_ramp_keeps_its_order_under_colour_vision_deficiencies(deficiency):
    matrix = np.array(DEFICIENCIES[deficiency])
    light = [lab(matrix @ linear(colour))[0] for colour in theme.SEQUENTIAL]
    assert (np.diff(light) < -2).all()


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_both_arms_of_the_diverging_ramp_keep_their_order_and_their_sign(deficiency, dark):
    matrix = np.array(DEFICIENCIES[deficiency])
    seen = [lab(matrix @ linear(colour)) for colour in theme.diverging(dark)]
    steps = np.diff([light for light, *_ in seen]) * (-1 if dark else 1)
    assert (steps[:5] > 5).all()
    assert (steps[5:] < -5).all()
    assert min(difference(seen[at], seen[-1 - at]) for at in range(4)) >= 10


def difference(one, other):
    """CIEDE2000 of two colours in CIE Lab; 1 is just seen side by side, 10 at a glance."""
    (l1, a1, b1), (l2, a2, b2) = one, other
    chroma = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    stretch = 1.5 - 0.5 * np.sqrt(chroma**7 / (chroma**7 + 25**7))
    c1, c2 = np.hypot(a1 * stretch, b1), np.hypot(a2 * stretch, b2)
    h1, h2 = (np.degrees(np.arctan2(b, a * stretch)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = (h2 - h1 + 180) % 360 - 180 if c1 * c2 else 0.0
    hue, c, lightness = h1 + turn / 2, (c1 + c2) / 2, (l1 + l2) / 2
    waves = [(1, -30, -0.17), (2, 0, 0.24), (3, 6, 0.32), (4, -63, -0.2)]
    t = 1 + sum(size * np.cos(np.radians(times * hue + shift)) for times, shift, size in waves)
    scales = np.array(
        [
            1 + 0.015 * (lightness - 50) ** 2 / np.sqrt(20 + (lightness - 50) ** 2),
            1 + 0.045 * c,
            1 + 0.015 * c * t,
        ]
    )
    steps = np.array([l2 - l1, c2 - c1, 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn) / 2)]) / scales
    tilt = (
        -2
        * np.sqrt(c**7 / (c**7 + 25**7))
        * np.sin(np.radians(60 * np.exp(-(((hue % 360 - 275) / 25) ** 2))))
    )
    return np.sqrt((steps**2).sum() + tilt * steps[1] * steps[2])


@pytest.mark.parametrize(
    ("one", "other", "published"),  # Sharma, Wu, Dalal (2005), table 1
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((35.0831, -44.1164, 3.7933), (35.0232, -40.0716, 1.5901), 1.8645),
        ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_the_difference_of_colours_is_the_published_one(one, other, published):
    assert difference(one, other) == pytest.approx(published, abs=1e-4)


TOGETHER = {
    "marks of a view": (theme.HIT, theme.MISS, theme.EDGE, theme.EDGE_NEGATIVE),
    "categories of a chart": tuple(theme.OKABE_ITO.values())[:6],
}


@pytest.mark.parametrize("deficiency", [None, *DEFICIENCIES])
@pytest.mark.parametrize("group", TOGETHER)
def test_colours_that_stand_together_are_told_apart_at_a_glance(deficiency, group):
    matrix = np.array(DEFICIENCIES[deficiency]) if deficiency else np.eye(3)
    seen = [lab(matrix @ linear(colour)) for colour in TOGETHER[group]]
    assert min(difference(one, other) for one, other in combinations(seen, 2)) >= 10


@pytest.mark.parametrize("tone", [theme.LIGHT, theme.DARK], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["ink", "muted", "hit-ink", "miss-ink"])
def test_text_reads_on_its_paper(tone, name):
    assert contrast(tone[name], tone["paper"]) >= 4.5
    assert contrast(tone[name], tone["raised"]) >= 4.5


def test_light_and_dark_name_the_same_things():
    assert theme.LIGHT.keys() == theme.DARK.keys()
