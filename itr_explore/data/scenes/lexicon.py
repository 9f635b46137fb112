"""The words of the scenes: what a kind, a colour, a size, a number, a relation or a setting may be called.

The first of several is the most usual.
"""

from __future__ import annotations

NOUNS: dict[str, tuple[tuple[str, str], ...]] = {  # kind or group -> (one, many)
    "dog": (("dog", "dogs"),),
    "cat": (("cat", "cats"),),
    "horse": (("horse", "horses"), ("pony", "ponies")),
    "sheep": (("sheep", "sheep"),),
    "elephant": (("elephant", "elephants"),),
    "duck": (("duck", "ducks"),),
    "rabbit": (("rabbit", "rabbits"), ("bunny", "bunnies")),
    "car": (("car", "cars"),),
    "bus": (("bus", "buses"),),
    "truck": (("truck", "trucks"), ("lorry", "lorries")),
    "bicycle": (("bicycle", "bicycles"), ("bike", "bikes")),
    "boat": (("boat", "boats"),),
    "tree": (("tree", "trees"),),
    "flower": (("flower", "flowers"),),
    "cactus": (("cactus", "cacti"),),
    "house": (("house", "houses"), ("cottage", "cottages")),
    "tower": (("tower", "towers"),),
    "tent": (("tent", "tents"),),
    "windmill": (("windmill", "windmills"),),
    "chair": (("chair", "chairs"),),
    "table": (("table", "tables"),),
    "bed": (("bed", "beds"),),
    "sofa": (("sofa", "sofas"), ("couch", "couches")),
    "lamp": (("lamp", "lamps"),),
    "ball": (("ball", "balls"),),
    "robot": (("robot", "robots"),),
    "teddy": (("teddy bear", "teddy bears"), ("teddy", "teddies")),
    "block": (("block", "blocks"), ("cube", "cubes")),
    "drum": (("drum", "drums"),),
    "airplane": (("airplane", "airplanes"), ("plane", "planes")),
    "balloon": (("balloon", "balloons"),),
    "kite": (("kite", "kites"),),
    "animal": (("animal", "animals"),),
    "vehicle": (("vehicle", "vehicles"),),
    "plant": (("plant", "plants"),),
}
GROUPS = ("animal", "vehicle", "plant")  # the groups that have a name of their own in captions

COLOUR_WORDS: dict[str, tuple[str, ...]] = {
    "red": ("red",),
    "orange": ("orange",),
    "yellow": ("yellow",),
    "green": ("green",),
    "blue": ("blue",),
    "purple": ("purple", "violet"),
    "white": ("white",),
    "black": ("black",),
}
SIZE_WORDS: dict[str, tuple[str, ...]] = {
    "small": ("small", "little", "tiny"),
    "medium": ("medium-sized",),
    "large": ("large", "big", "huge"),
}
TALL = ("tree", "tower", "windmill", "cactus", "lamp")  # a large one may be called tall

NUMBERS: dict[int, tuple[tuple[str, str, str], ...]] = {  # (before, the number, after): "a" "pair" "of"
    1: (("", "one", ""),),
    2: (("", "two", ""), ("a", "pair", "of"), ("a", "couple", "of")),
    3: (("", "three", ""),),
    4: (("", "four", ""),),
    5: (("", "five", ""),),
    6: (("", "six", ""),),
    7: (("", "seven", ""),),
}

RELATION_PHRASES: dict[str, tuple[str, ...]] = {
    "left of": ("to the left of", "left of", "on the left of"),
    "right of": ("to the right of", "right of", "on the right of"),
    "above": ("above", "over"),
    "below": ("below", "beneath"),
    "on": ("on", "on top of"),
    "under": ("under", "underneath"),
    "in front of": ("in front of",),
    "behind": ("behind",),
    "next to": ("next to", "beside", "by"),
    "between": ("between", "in between"),
}

# (words before, the noun); what stands, what flies, and what a whole picture shows ("a meadow with ...")
ON_THE_GROUND: dict[str, tuple[tuple[str, str], ...]] = {
    "meadow": (("in a", "meadow"), ("in the", "meadow"), ("on the", "grass"), ("in a", "field")),
    "beach": (
        ("on the", "beach"),
        ("on a", "beach"),
        ("at the", "beach"),
        ("on the", "sand"),
        ("by the", "sea"),
    ),
    "city": (("in the", "city"), ("in a", "city"), ("in the", "street"), ("in a", "town")),
    "room": (("in a", "room"), ("in the", "room"), ("inside a", "room"), ("", "indoors")),
    "night": (("at", "night"), ("in the", "night"), ("in the", "dark")),
    "snow": (("in the", "snow"), ("on the", "snow"), ("in", "winter"), ("on a", "winter day")),
}
IN_THE_AIR: dict[str, tuple[tuple[str, str], ...]] = {
    "meadow": (("over a", "meadow"), ("over the", "grass"), ("over a", "field")),
    "beach": (("over the", "beach"), ("over the", "sea"), ("at the", "beach")),
    "city": (("over the", "city"), ("over a", "town")),
    "room": (("in a", "room"), ("in the", "room"), ("inside a", "room"), ("", "indoors")),
    "night": (("at", "night"), ("in the", "night"), ("in the", "dark")),
    "snow": (("over the", "snow"), ("in", "winter"), ("on a", "winter day")),
}
WHOLE_SCENES: dict[str, tuple[tuple[str, str], ...]] = {
    "meadow": (("a", "meadow"), ("a", "grassy field"), ("the", "meadow")),
    "beach": (("a", "beach"), ("a", "sandy beach"), ("the", "beach"), ("a", "beach scene")),
    "city": (("a", "city"), ("a", "street"), ("a", "city street"), ("a", "city scene")),
    "room": (("a", "room"), ("the inside of a", "room")),
    "night": (("a", "night scene"), ("a", "dark night")),
    "snow": (("a", "winter scene"), ("a", "snowy scene"), ("a", "winter day")),
}

# (one, many): what a thing of a group does, besides "is"
VERBS: dict[str, tuple[tuple[str, str], ...]] = {
    "animal": (("stands", "stand"), ("waits", "wait")),
    "vehicle": (("stands", "stand"), ("is parked", "are parked")),
    "plant": (("stands", "stand"), ("grows", "grow")),
    "building": (("stands", "stand"),),
    "furniture": (("stands", "stand"),),
    "toy": (("rests", "rest"),),
    "airplane": (("flies", "fly"),),
    "balloon": (("floats", "float"),),
    "kite": (("flies", "fly"),),
    "sky": (("is", "are"),),
}
HANGS = ("hangs", "hang")  # what things of the sky do in a room
