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
@pytest.mark.parametrize(("one", "other"), [(theme.HIT, theme.MISS), (theme.EDGE, theme.EDGE_NEGATIVE)])
def test_colours_of_opposite_meaning_stay_apart(deficiency, one, other):
    matrix = np.array(DEFICIENCIES[deficiency])
    seen = [lab(matrix @ linear(colour)) for colour in (one, other)]
    assert np.linalg.norm(seen[0] - seen[1]) > 20


@pytest.mark.parametrize("tone", [theme.LIGHT, theme.DARK], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["ink", "muted", "hit-ink", "miss-ink"])
def test_text_reads_on_its_paper(tone, name):
    assert contrast(tone[name], tone["paper"]) >= 4.5
    assert contrast(tone[name], tone["raised"]) >= 4.5


def test_light_and_dark_name_the_same_things():
    assert theme.LIGHT.keys() == theme.DARK.keys()
