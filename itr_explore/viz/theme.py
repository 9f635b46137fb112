"""Every colour of the house, and the one plotly template. Nothing elsewhere names a colour.

Meaning comes first: one ramp for weights, one for signed values with zero in the middle, one colour each for
right, wrong and unknown, told apart by shape as well. All keep their order under the three common
colour-vision deficiencies. `light` and `dark` differ in neutrals and in the direction of the ramps: a
value of zero always lies near the paper.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import plotly.graph_objects as go

# Categories: Okabe and Ito, "Color universal design" (2008), the order in which we use them.
OKABE_ITO = {
    "blue": "#0072B2",
    "vermillion": "#D55E00",
    "bluish green": "#009E73",
    "reddish purple": "#CC79A7",
    "orange": "#E69F00",
    "sky blue": "#56B4E9",
    "black": "#000000",
    "yellow": "#F0E442",
}

# Weights from nothing to the largest: equal steps of Oklab lightness, hue from amber over rose to purple.
SEQUENTIAL = (
    *("#fff6e1", "#ffd8ae", "#feb78b", "#fe9171", "#fe6265", "#e34673"),
    *("#c0357d", "#982f7e", "#6f2d73", "#492b5b", "#2b2538"),
)

# Signed values: blue below zero, brown above, the same lightness at the same distance from zero.
DIVERGING = (
    *("#124099", "#2d67af", "#528dc4", "#7fb1d6", "#b2d4e8", "#f1f4f5"),
    *("#e2caaf", "#cea079", "#b87648", "#a04b16", "#7e2500"),
)
DIVERGING_ON_DARK = (
    *("#5ed4ff", "#46aede", "#4288b4", "#3a6488", "#30445c", "#252629"),
    *("#583b2b", "#815535", "#a9723f", "#d19349", "#f7b654"),
)

HIT = OKABE_ITO["bluish green"]
MISS = OKABE_ITO["vermillion"]
EDGE = OKABE_ITO["sky blue"]  # a relation that pulls together
EDGE_NEGATIVE = OKABE_ITO["orange"]  # one that pushes apart

LIGHT = {
    "paper": "#ffffff",
    "raised": "#f6f6f4",
    "ink": "#1d1f24",
    "muted": "#5b6069",
    "line": "#dcdcd7",
    "focus": "#0072b2",
    "hit-ink": "#00694c",
    "miss-ink": "#a84300",
    "ring": "#009e73",
}
DARK = {
    "paper": "#15171c",
    "raised": "#1f222a",
    "ink": "#ececea",
    "muted": "#a2a8b3",
    "line": "#363b45",
    "focus": "#56b4e9",
    "hit-ink": "#3ecf9f",
    "miss-ink": "#ff9a52",
    "ring": "#3ecf9f",
}
RING_ON_PHOTO = DARK["ring"]
VEIL = "#0b0d14"  # lies over a photo where no weight falls
INKS = ("#000000", "#ffffff")  # on a colour

SANS = "system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif"
SERIF = "Charter, 'Bitstream Charter', 'Iowan Old Style', Georgia, 'Times New Roman', serif"


def sequential(dark: bool = False) -> tuple[str, ...]:
    """The ramp for weights, from the paper's side on."""
    return SEQUENTIAL[::-1] if dark else SEQUENTIAL


def diverging(dark: bool = False) -> tuple[str, ...]:
    """The ramp for signed values; its middle lies near the paper."""
    return DIVERGING_ON_DARK if dark else DIVERGING


def scale(stops: tuple[str, ...]) -> list[tuple[float, str]]:
    """Colour stops as a plotly colour scale."""
    return [(place / (len(stops) - 1), colour) for place, colour in enumerate(stops)]


def template(dark: bool = False) -> go.layout.Template:
    """The look of every chart: paper and ink of the house, thin lines, its categories and ramps."""
    import plotly.graph_objects as go

    tone = DARK if dark else LIGHT
    axis = {
        "gridcolor": tone["line"],
        "linecolor": tone["muted"],
        "zerolinecolor": tone["line"],
        "ticks": "outside",
        "automargin": True,
        "tickcolor": tone["line"],
        "title": {"font": {"color": tone["muted"], "size": 13}},
    }
    layout = go.Layout(
        font={"family": SANS, "size": 13, "color": tone["ink"]},
        title={
            "font": {"size": 16},
            "x": 0,
            "xref": "paper",
            "y": 1,
            "yref": "container",
            "yanchor": "top",
            "pad": {"t": 14},  # in pixels, so that a tall figure's title stays above its legend
        },
        paper_bgcolor=tone["paper"],
        plot_bgcolor=tone["paper"],
        colorway=[colour for name, colour in OKABE_ITO.items() if name not in ("black", "yellow")],
        colorscale={
            "sequential": scale(sequential(dark)),
            "diverging": scale(diverging(dark)),
        },
        xaxis=axis,
        yaxis=axis,
        margin={"l": 60, "r": 20, "t": 72, "b": 50},
        hoverlabel={"font": {"family": SANS}},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    return go.layout.Template(layout=layout)
