"""Notice a collapsed model: one that gives every image and every caption the same score.

With hardest negatives from the first step the loss can settle at exactly 2 B margin: every score is equal,
every triplet violates by the margin, and no gradient tells them apart (fartashf/vsepp#27; methods.md 0.5).
"""

from __future__ import annotations

from torch import Tensor

from itr_explore.nn.losses import collapse_value, hardest_negative_loss, same_image

SPREAD = 1e-3  # standard deviation of wrong pairs' scores below which nothing is told apart


class TrainingCollapsed(RuntimeError):
    """All scores have become equal; the message says what to change."""


def has_collapsed(scores: Tensor, image_of: Tensor, margin: float = 0.2) -> bool:
    """Are all scores of a batch equal, right pairs and wrong ones alike?

    Two signs together: the loss by hardest negatives lies within 1 per cent of 2 B margin, and wrong pairs'
    scores hardly differ.

    Args:
        scores: [image caption].
        image_of: [caption] the row of `scores` that each caption describes.
        margin: of the hinge.
    """
    scores = scores.detach().float()
    wrong = scores[~same_image(len(scores), image_of)]
    plateau = collapse_value(len(scores), image_of, margin)
    if len(wrong) < 2 or plateau == 0:
        return False
    loss = float(hardest_negative_loss(scores, image_of, margin))
    return abs(loss / plateau - 1) < 1e-2 and float(wrong.std()) < SPREAD


class CollapseWatch:
    """Raises once several looks in a row found a collapsed model; one look can be bad luck."""

    def __init__(self, patience: int = 5):
        self.patience, self.seen = patience, 0

    def look(self, scores: Tensor, image_of: Tensor, margin: float, step: int) -> None:
        """Take one look at the scores of a batch."""
        self.seen = self.seen + 1 if has_collapsed(scores, image_of, margin) else 0
        if self.seen >= self.patience:
            raise TrainingCollapsed(
                f"at step {step} all scores are equal, so the loss stands at 2 x batch size x margin and"
                " cannot fall. Begin with warm_up_epochs=1 or more (all negatives instead of the hardest"
                " ones), lower learning_rate, or enlarge batch_size; check that captions fit their images"
            )
