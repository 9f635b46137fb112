"""What travels between the rooms of the house: frozen records that check themselves where they are made.

Axes are named `image caption region word dim`. Boxes are always `x1 y1 x2 y2` as fractions of the image's
width and height, so they outlive any resizing. Masks are True where something is real. Ranks count from 0.
"""

from itr_explore.records.attributions import Attribution, Contrast, ImageContrast
from itr_explore.records.changes import Change, Intervention
from itr_explore.records.found import Found, QueryRanks
from itr_explore.records.maps import Explanation, Map, MapKind, Origin
from itr_explore.records.nearest import CoarseRecall, Nearest
from itr_explore.records.pairs import Batch, Encoded, Example, Mention, Pair, Relation, Truth
from itr_explore.records.regions import RegionsOf
from itr_explore.records.results import Cascade, History, Progress, Ranking, RemovalCurves
from itr_explore.records.spaces import Space
from itr_explore.records.tables import Interval, Measured, ShownAsTable, Table

__all__ = [
    "Attribution",
    "Batch",
    "Cascade",
    "Change",
    "CoarseRecall",
    "Contrast",
    "Encoded",
    "Example",
    "Explanation",
    "Found",
    "History",
    "ImageContrast",
    "Interval",
    "Intervention",
    "Map",
    "MapKind",
    "Measured",
    "Mention",
    "Nearest",
    "Origin",
    "Pair",
    "Progress",
    "QueryRanks",
    "Ranking",
    "RegionsOf",
    "Relation",
    "RemovalCurves",
    "ShownAsTable",
    "Space",
    "Table",
    "Truth",
]
