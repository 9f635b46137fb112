import numpy as np

from itr_explore.viz import theme
from itr_explore.viz.stills.colours import Scale, blend, ink_on


def test_colours_run_along_the_ramp_and_ink_is_read_on_them():
    assert blend(theme.SEQUENTIAL, 0) == (255, 246, 225)
    assert blend(theme.SEQUENTIAL, 1) == (43, 37, 56)
    assert (ink_on((255, 246, 225)), ink_on((43, 37, 56))) == theme.INKS


def test_a_weight_below_zero_has_a_colour_of_its_own_and_lights_nothing():
    scale = Scale.of(np.array([-0.5, 0.25]), dark=False)
    assert scale.colour(-0.5) == blend(theme.DIVERGING, 0)
    assert (scale.share(-0.5), scale.strength(-0.5), scale.strength(0.25)) == (1, 0, 0.5)
