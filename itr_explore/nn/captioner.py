"""Writing an image's caption from its regions: VSRN's second task, which only training asks for."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from itr_explore.nn.encoders import read
from itr_explore.nn.pooling import last_real
from itr_explore.nn.together import mine, ours, summed


class Captioner(nn.Module):
    """One GRU reads the regions, a second writes the caption from where the first stopped (exact, VSRN code).

    Each step of the writer is told the right word before (teacher forcing) and looks at the regions by
    additive attention: `weights = softmax_i(u . tanh(W [read_i; state] + b))`, where `read_i` is the reader's
    state after region i, which also knows of those before. The published code takes 59 steps whatever the
    captions' lengths, puts all of `W` to all regions and asks for the whole vocabulary in each of them. Here
    there are as many steps as the longest caption has words, the regions' half of `W` is used once, and so is
    the vocabulary, for the words that there are; values and gradients are the same.

    Args:
        vocabulary_size: number of token ids.
        dim: length of a region.
        size: of both GRUs' states.
        word_dim: length of a word vector.
        dropout: of what both GRUs read, in training.
    """

    def __init__(
        self, vocabulary_size: int, dim: int, size: int = 512, word_dim: int = 300, dropout: float = 0.2
    ):
        super().__init__()
        self.regions = nn.Linear(dim, size)
        self.reader = nn.GRU(size, size, batch_first=True)
        self.look = nn.Linear(2 * size, size)  # W, b
        self.fit = nn.Linear(size, 1, bias=False)  # u
        self.vectors = nn.Embedding(vocabulary_size, word_dim)
        self.writer = nn.GRUCell(word_dim + size, size)
        self.words = nn.Linear(size, vocabulary_size)
        self.dropout = nn.Dropout(dropout)
        nn.init.xavier_normal_(self.regions.weight)
        nn.init.xavier_normal_(self.words.weight)

    def forward(
        self,
        regions: Float[Tensor, "image region dim"],
        region_mask: Bool[Tensor, "image region"],
        words: Int[Tensor, "caption word"],
        image_of: Int[Tensor, "caption"],
    ) -> tuple[Float[Tensor, "caption word size"], Float[Tensor, "caption word region"]]:
        """The writer's state after each word that it was told, and its look at the regions before that state.

        State and look `j` choose word `j + 1`; the look knows the words before `j` only.

        Args:
            regions: of the images.
            region_mask: which of them are real; the others get no weight.
            words: of the captions.
            image_of: the image that each caption is written from; none is a foil.
        """
        own, real = mine(regions), mine(region_mask)
        seen = ours(read(self.reader, self.dropout(self.regions(own)), real), len(regions))
        for_region, for_state = self.look.weight.chunk(2, dim=1)
        keys = nn.functional.linear(seen, for_region, self.look.bias)[image_of]  # [caption region size]
        state, seen, unreal = last_real(seen, region_mask)[image_of], seen[image_of], ~region_mask[image_of]
        states, looks = [], []
        for vector in self.vectors(words).unbind(dim=1):
            asked = nn.functional.linear(state, for_state).unsqueeze(1)
            fits = self.fit((keys + asked).tanh()).squeeze(-1)  # [caption region]
            weights = fits.masked_fill(unreal, float("-inf")).softmax(dim=1)
            context = (weights.unsqueeze(1) @ seen).squeeze(1)
            state = self.writer(self.dropout(torch.cat([vector, context], dim=1)), state)
            states.append(state)
            looks.append(weights)
        return torch.stack(states, dim=1), torch.stack(looks, dim=1)

    def loss(
        self,
        regions: Float[Tensor, "image region dim"],
        region_mask: Bool[Tensor, "image region"],
        words: Int[Tensor, "caption word"],
        word_mask: Bool[Tensor, "caption word"],
        image_of: Int[Tensor, "caption"],
        padding_target: bool = False,
    ) -> Float[Tensor, ""]:
        """`-log p(word | words before, image)`, summed over the words and divided by the number of captions.

        Several processes each write their share of the captions.

        Args:
            regions: of the images.
            region_mask: which of them are real.
            words: of the captions, <start> first and <end> last, then 0.
            word_mask: which of them are real.
            image_of: the image that each caption describes; foils (below 0) are left out.
            padding_target: also ask for one <pad> after each caption, as the published mask does.
        """
        described = (image_of >= 0).nonzero().squeeze(1)
        own = mine(described)
        words, word_mask = words[own], word_mask[own]
        states, _ = self(regions, region_mask, words, image_of[own])
        targets = nn.functional.pad(words[:, 1:] * word_mask[:, 1:], (0, 1))
        counted = word_mask if padding_target else nn.functional.pad(word_mask[:, 1:], (0, 1))
        logits = self.words(states[counted])  # [token vocabulary]
        total = summed(nn.functional.cross_entropy(logits, targets[counted], reduction="sum"))
        return total / max(len(described), 1)
