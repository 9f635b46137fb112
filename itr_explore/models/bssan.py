"""BSSAN: words look for regions and regions for words, each by a bilinear attention of its own, and a pair's
score unifies how well both found what they looked for.

Huang, Zhang, Zhao, Li: Bi-Directional Spatial-Semantic Attention Networks for Image-Text Matching, TIP 28(4),
2019. Its code is not public and its equations were not at hand: this whole page is a *reconstruction* from
the abstract (a word-to-region LSTM with bilinear attention, an object-to-word attention, a deep model that
unifies both), filled in with what was usual in its day.

| paper's idea          | name here                              | shape                       |             |
| --------------------- | -------------------------------------- | --------------------------- | ----------- |
| objects v_i           | `images.parts`, of length sqrt(dim)    | [image region dim]          | reconstr.   |
| words h_t of an LSTM  | `captions.parts`, of length sqrt(dim)  | [caption word dim]          | reconstr.   |
| word-to-region, a_ti  | tap `word_to_region`, `words_look`     | [image caption word region] | reconstr.   |
| object-to-word, b_it  | tap `region_to_word`, `regions_look`   | [image caption region word] | reconstr.   |
| what was seen, c_t    | sum_i a_ti v_i, by `attended`          | [image caption word dim]    | reconstr.   |
| and t_i               | sum_t b_it h_t, likewise               | [image caption region dim]  | reconstr.   |
| where both agree      | tap `agreement`, a_ti b_it             | [image caption word region] | ours, drawn |
| cos(P h_t+p, Q c_t)   | tap `word_fit`, scores if `fast`       | [image caption word]        | reconstr.   |
| cos(P'v_i+p', Q't_i)  | tap `region_fit`, scores if `fast`     | [image caption region]      | reconstr.   |
| matches m_t and n_i   | `word_match`, `region_match`           | [image caption part dim]    | reconstr.   |
| weights pi_i of n_i   | tap `region_weights`                   | [image caption region]      | reconstr.   |
| unified score         | `balance` (`fast`), else `unify`       | [image caption]             | reconstr.   |
|                       | the box, added (`box`, off in `paper`) |                             | ours        |
|                       | `loss="info_nce"`, but not in `paper`  |                             | ours        |

P, p and Q project queries and what they look at (`nn.bilinear`); the attention of regions has its own.

`form="fast"`: the mean fits of words and of regions, in a learned proportion; nothing of size dim is formed
for a pair, and words are read once a caption. `form="faithful"`: each word and what it saw make a vector, a
second LSTM reads these (`second_reader`), regions' are weighed and added, and a small network scores both.
`image_conditioned`: the strict reading of the abstract, one run of the LSTM for each *pair*, which is given
at each word what the word before saw; for small batches and for re-ranking.

The LSTM reads left to right in `paper`, as in 2018, and both ways in `tiny` and `base`: read to the right
only, "red" must choose a region before it knows of what. Regions can as well be the cells of a grid.
`vectors` are what words of the fast form would be compared by if each looked at all regions alike; they take
no part in the score, which `score_parts` splits into what each word and region of the fast form gave.

On photos, attention that starts soft never learns to look: from `sharpness` 8, which spreads a word over 19
of 20 regions, words alone found 1 image in 100 after six epochs, and the objects carried the score.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn.functional import pad, rms_norm

from itr_explore.models.base import ON_PHOTOS, ModelConfig, RetrievalModel, region_encoder, word_encoder
from itr_explore.nn.bilinear import BilinearAttention, LocalMatch, attended, fits, read_beside
from itr_explore.nn.chunks import Side, score_in_blocks
from itr_explore.nn.encoders import read
from itr_explore.nn.pooling import last_real, masked_mean, pool_scores, unit
from itr_explore.nn.tap import Tap
from itr_explore.records import Batch, Encoded


@dataclass(frozen=True, kw_only=True)
class BSSANConfig(ModelConfig):
    """Settings of BSSAN."""

    reader: Literal["gru", "lstm", "bert"] = "lstm"  # what reads the words
    form: Literal["fast", "faithful"] = "fast"  # cosines in proportion, or vectors and a network
    bidirectional: bool = True  # read the words both ways
    rank: int = 128  # of the bilinear forms
    sharpness: float = 64.0  # of the attention before training
    second_reader: Literal["lstm", "mean"] = "lstm"  # faithful: of the words' local matches
    image_conditioned: bool = False  # read every caption beside every image
    most_pairs: int = 2**16  # pairs that image_conditioned scores in one call
    memory_budget: int = 2**30  # bytes that scoring may use at once


class BSSAN(RetrievalModel):
    """Attention in both directions; see the top of this file."""

    name = "bssan"
    Config = BSSANConfig
    config: BSSANConfig
    presets: ClassVar = {
        "tiny": {"dim": 128, "word_dim": 64, "sharpness": 8.0, "loss": "info_nce"},
        "base": ON_PHOTOS,
        "paper": {
            "dim": 1024,
            "word_dim": 300,
            "rank": 512,
            "dropout": 0.4,
            "box": False,
            "form": "faithful",
            "bidirectional": False,
        },
    }

    def __init__(self, config: BSSANConfig, tokenizer: Tokenizer | None = None):
        super().__init__(config, tokenizer)
        dim, faithful = config.dim, config.form == "faithful"
        if config.image_conditioned and (config.reader != "lstm" or config.bidirectional):
            raise ValueError(
                "image_conditioned reads left to right by an LSTM; wanted reader='lstm' and"
                f" bidirectional=False, got {config.reader!r} and {config.bidirectional}"
            )
        self.regions = region_encoder(config)
        self.words = word_encoder(config, bidirectional=config.bidirectional)
        self.words_look = BilinearAttention(dim, config.rank, config.sharpness)
        self.regions_look = BilinearAttention(dim, config.rank, config.sharpness)
        if config.image_conditioned:
            self.from_sight = nn.Linear(dim, 4 * dim, bias=False)
        if faithful:
            self.word_match, self.region_match = LocalMatch(dim), LocalMatch(dim)
            self.reader = nn.LSTM(dim, dim, batch_first=True) if config.second_reader == "lstm" else None
            self.weigh = nn.Linear(dim, 1, bias=False)
            self.unify = nn.Sequential(nn.Linear(2 * dim, dim), nn.ReLU(), nn.Linear(dim, 1))
            self.region_weights = Tap("per_region", "softmax")
        else:
            self.balance = nn.Parameter(torch.zeros(()))  # sigmoid of it is the words' share
        self.word_to_region = Tap("word_to_region", "softmax")
        self.region_to_word = Tap("region_to_word", "softmax")
        self.agreement = Tap("word_to_region", "unit", derived=True)
        self.word_fit = Tap("per_word", "cosine", derived=faithful)
        self.region_fit = Tap("per_region", "cosine", derived=faithful)

    def encode_images(self, batch: Batch) -> Encoded:
        """Regions of length sqrt(dim)."""
        parts, mask = self.regions(batch.regions, batch.region_mask, batch.boxes)
        parts = rms_norm(parts, (self.config.dim,))
        return Encoded(unit(masked_mean(self.words_look.context_key(parts), mask)), parts, mask)

    def encode_captions(self, batch: Batch) -> Encoded:
        """Words in context, of length sqrt(dim); if `image_conditioned`, the bare word vectors."""
        mask = batch.word_mask
        if self.config.image_conditioned:
            parts = self.words.look_up(batch.words)
            states = rms_norm(read(self.words.reader, parts, mask), (self.config.dim,))
        else:
            parts = states = rms_norm(self.words(batch.words, mask), (self.config.dim,))
        keys = unit(self.words_look.query_key(states))
        return Encoded(unit(masked_mean(keys, mask)), parts, mask)

    def score(self, images: Encoded, captions: Encoded) -> Tensor:
        """[image caption], in blocks; all at once if somebody watches a tap.

        Raises:
            ValueError: more pairs than `image_conditioned` may read in one call.
        """
        config, pairs = self.config, len(images) * len(captions)
        if config.image_conditioned and pairs > config.most_pairs:
            raise ValueError(
                f"image_conditioned reads every caption beside every image: {len(images)} images x"
                f" {len(captions)} captions are {pairs:,} runs of its LSTM, and most_pairs allows"
                f" {config.most_pairs:,}. Score smaller blocks, or only the candidates that `vectors` rank"
                " first, or create the model with image_conditioned=False"
            )
        seen, looking = Side((images.parts,), images.mask), Side((captions.parts,), captions.mask)
        if any(tap.watched for tap in self.children() if isinstance(tap, Tap)):
            return self._plainly(seen, looking)
        size, budget = images.parts.element_size(), config.memory_budget
        if config.form == "faithful" or config.image_conditioned:
            return score_in_blocks(self._plainly, seen, looking, 2 * config.dim * size, budget)
        of_regions = self.words_look.context_key(images.parts), self.regions_look.query_key(images.parts)
        of_words = self.words_look.query_key(captions.parts), self.regions_look.context_key(captions.parts)
        seen, looking = Side(of_regions, images.mask), Side(of_words, captions.mask)
        return score_in_blocks(self._fast, seen, looking, 12 * size, budget)

    def score_parts(self, images: Encoded, captions: Encoded) -> Tensor:
        """[image caption word+1 region+1] what each word and region gave to the score (`explanation.parts`).

        Fits are split by the attention, both ways; the last row and column, what belongs to none, are zero.

        Raises:
            ValueError: `faithful` scores come from a network and have no parts.
        """
        if self.config.form != "fast":
            raise ValueError(
                "a faithful score comes from a network and is no sum; only form='fast' has parts"
            )
        seen, looking = Side((images.parts,), images.mask), Side((captions.parts,), captions.mask)
        regions, region_mask, words, word_mask = self._fragments(seen, looking)
        to_regions = self.words_look(words, regions, region_mask)
        to_words = self.regions_look(regions, words, word_mask)
        word_share, region_share = (
            (mask / mask.sum(dim=-1, keepdim=True)).unsqueeze(-1) for mask in (word_mask, region_mask)
        )
        by_word = self.words_look.fit_parts(words, regions, to_regions) * word_share
        by_region = self.regions_look.fit_parts(regions, words, to_words) * region_share
        return pad(torch.lerp(by_region.mT, by_word, self.balance.sigmoid()), (0, 1, 0, 1))

    def _fast(self, seen: Side, looking: Side) -> Tensor:
        """[image caption] from keys alone: nothing of their size is made for a pair."""
        (seen_regions, regions), (words, seen_words) = seen.tensors, looking.tensors
        word_fit = fits(words, seen_regions, seen.mask)  # [image caption word]
        region_fit = fits(regions, seen_words, looking.mask).transpose(0, 1)  # [image caption region]
        return self._balanced(word_fit, region_fit, seen.mask, looking.mask)

    def _plainly(self, seen: Side, looking: Side) -> Tensor:
        """[image caption] from attention weights and what was seen, through the taps."""
        regions, region_mask, words, word_mask = self._fragments(seen, looking)
        to_regions = self.word_to_region(self.words_look(words, regions, region_mask))
        to_words = self.region_to_word(self.regions_look(regions, words, word_mask))
        if self.agreement.watched:
            self.agreement(to_regions * to_words.mT)
        word_sight, region_sight = attended(to_regions, regions), attended(to_words, words)
        faithful = self.config.form == "faithful"
        if not faithful or self.word_fit.watched or self.region_fit.watched:
            word_fit = self.word_fit(self.words_look.fit(words, word_sight) * word_mask)
            region_fit = self.region_fit(self.regions_look.fit(regions, region_sight) * region_mask)
        if not faithful:
            return self._balanced(word_fit, region_fit, seen.mask, word_mask)
        word_matches = self.word_match(words, word_sight)
        region_matches = self.region_match(regions, region_sight)
        return self._unified(word_matches, region_matches, region_mask, word_mask)

    def _fragments(self, seen: Side, looking: Side) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Regions [image 1 region dim] and words [caption word dim] that meet, each with its mask."""
        regions, region_mask = seen.tensors[0].unsqueeze(1), seen.mask.unsqueeze(1)
        words, word_mask = looking.tensors[0], looking.mask
        if self.config.image_conditioned:
            reads = self.words.reader, self.from_sight, self.words_look
            words = read_beside(*reads, words, seen.tensors[0], seen.mask)  # [image caption word dim]
        return regions, region_mask, words, word_mask

    def _balanced(
        self, word_fit: Tensor, region_fit: Tensor, region_mask: Tensor, word_mask: Tensor
    ) -> Tensor:
        """Mean fits of words [image caption word] and regions [image caption region] in proportion."""
        of_words = pool_scores(word_fit, word_mask.expand(word_fit.shape), "AVG")
        of_regions = pool_scores(region_fit, region_mask.unsqueeze(1).expand(region_fit.shape), "AVG")
        return torch.lerp(of_regions, of_words, self.balance.sigmoid())

    def _unified(
        self, word_matches: Tensor, region_matches: Tensor, region_mask: Tensor, word_mask: Tensor
    ) -> Tensor:
        """A network's score of word matches, read in their order, and region matches, weighed and added."""
        mask = word_mask.expand(word_matches.shape[:3]).flatten(0, 1)
        steps = word_matches.flatten(0, 1)  # [pair word dim]
        of_words = (
            masked_mean(steps, mask)
            if self.reader is None
            else last_real(read(self.reader, steps, mask), mask)
        )
        logits = self.weigh(region_matches).squeeze(-1).masked_fill(~region_mask, float("-inf"))
        weights = self.region_weights(logits.softmax(dim=-1))
        of_regions = (weights.unsqueeze(-1) * region_matches).sum(dim=2)
        both = torch.cat([of_words.unflatten(0, word_matches.shape[:2]), of_regions], dim=-1)
        return self.unify(both).squeeze(-1)
