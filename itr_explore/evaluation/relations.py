"""Who is where, and who has what: right captions against wrong ones that are made of the same words.

The `swap` probe of the scenes consists of mirrored pairs: the caption of one scene is, to the letter, the
wrong caption of the other (see `data.scenes.probes`). A scorer that does not look at the image is therefore
right about one of the two: 50 per cent, whatever it has learned. `TextModel` is such a scorer, and its row is
measured rather than assumed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import log
from typing import TYPE_CHECKING

import numpy as np

from itr_explore.data.text import split_words
from itr_explore.evaluation.encoding import Encoder, at_rest, enough_memory
from itr_explore.evaluation.report import PairwiseChoice

if TYPE_CHECKING:
    from itr_explore.data.collection import Collection
    from itr_explore.models.base import RetrievalModel


def swap_accuracy(
    models: Mapping[str, RetrievalModel],
    swap: Collection,
    training_captions: Iterable[str],
    halves: Sequence[str] = ("relation", "attribute"),
    *,
    device: str = "auto",
) -> PairwiseChoice:
    """How often the right caption scores above the wrong one, by half of the probe, with the blind row.

    Args:
        models: by the names of their rows.
        swap: mirrored pairs: images 2k and 2k + 1 with one caption each, wrong for one another.
        training_captions: what the text-only scorer learns from.
        halves: what pairs 0, 1, ... test; they take turns.
        device: "auto" is a GPU where there is one.

    Raises:
        ValueError: the collection does not consist of mirrored pairs.
    """
    if len(swap) % 2 or swap.image_of.tolist() != list(range(len(swap))):
        raise ValueError(
            f"wanted mirrored pairs with one caption an image, got {len(swap)} images and"
            f' {len(swap.captions)} captions; take Collection.scenes("swap")'
        )
    partner = np.arange(len(swap)) ^ 1
    kinds = np.array([halves[item // 2 % len(halves)] for item in range(len(swap))])
    margins = {}
    for name, model in models.items():
        own, other = pair_scores(model, swap, device=device)
        margins[name] = own - other
    blind = TextModel(training_captions)
    likely = np.array([blind.score(caption) for caption in swap.captions])
    margins["text only"] = likely - likely[partner]
    return choices(margins, kinds)


def pair_scores(
    model: RetrievalModel, swap: Collection, *, device: str = "auto", at_once: int = 64
) -> tuple[np.ndarray, np.ndarray]:
    """Scores of each image with its own caption and with its partner's: `[image]` and `[image]`.

    Both captions of an item are scored in one batch, so that equal captions get equal scores.
    """
    own, other = np.empty(len(swap)), np.empty(len(swap))
    with at_rest(model, device) as device_used, enough_memory("a batch of pairs", model, "at_once"):
        encoder = Encoder(model, swap, device_used)
        for start in range(0, len(swap), at_once):
            items = np.arange(start, min(start + at_once, len(swap)))
            found = encoder.captions(items).scores(model, encoder.images(items.tolist()))
            scores = found.double().cpu().numpy()
            rows = np.arange(len(items))
            own[items], other[items] = scores[rows, rows], scores[rows, rows ^ 1]
    return own, other


def choices(margins: Mapping[str, np.ndarray], kinds: np.ndarray) -> PairwiseChoice:
    """Per cent of items whose margin (right minus wrong, `[item]`) is above zero; zero counts half."""
    names = list(dict.fromkeys(kinds.tolist()))
    chosen = [np.ones(len(kinds), dtype=bool), *(kinds == name for name in names)]
    values = [[100 * np.mean(0.5 + 0.5 * np.sign(m[among])) for among in chosen] for m in margins.values()]
    counts = tuple(int(among.sum()) for among in chosen)
    return PairwiseChoice(tuple(margins), ("all", *names), counts, np.array(values))


class TextModel:
    """How likely a caption is, by interpolated trigrams of the training captions; it never sees an image."""

    WEIGHTS = (0.1, 0.3, 0.6)  # of words alone, after one word, after two

    def __init__(self, captions: Iterable[str]):
        self.counts: list[Counter] = [Counter(), Counter(), Counter()]
        self.before: list[Counter] = [Counter(), Counter(), Counter()]
        for caption in captions:
            for context, word in _steps(caption):
                for length in range(3):
                    seen = context[2 - length :]
                    self.counts[length][(*seen, word)] += 1
                    self.before[length][seen] += 1
        self.words = len(self.counts[0]) + 1  # and one for all that were never seen

    def score(self, caption: str) -> float:
        """Mean log-likelihood of the caption's words and its end."""
        steps = list(_steps(caption))
        return sum(self._likelihood(context, word) for context, word in steps) / len(steps)

    def _likelihood(self, context: tuple[str, str], word: str) -> float:
        total = 0.0
        for length, weight in enumerate(self.WEIGHTS):
            seen = context[2 - length :]
            total += (
                weight
                * (self.counts[length][(*seen, word)] + 0.01)
                / (self.before[length][seen] + 0.01 * self.words)
            )
        return log(total)


def _steps(caption: str) -> Iterable[tuple[tuple[str, str], str]]:
    """Each word, and the end, with the two words before it."""
    words = ["", "", *split_words(caption)[0], "."]
    return [((words[at - 2], words[at - 1]), words[at]) for at in range(2, len(words))]
