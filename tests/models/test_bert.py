import json
import shutil

import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from toys import toy_collection

from itr_explore.data.text import build_tokenizer
from itr_explore.models.registry import create_model, from_pretrained
from itr_explore.nn.bert import pieces_of_captions
from itr_explore.nn.tap import capture
from itr_explore.training.fit import fit
from itr_explore.training.recipes import recipe_for


@pytest.fixture
def model(make_model):
    return make_model("scan", reader="bert")


def read_by_hand(bert, model, words):
    """The states of one caption's words (texts) by the library itself, a word at a time."""
    from transformers import AutoModel, AutoTokenizer

    theirs, transformer = AutoTokenizer.from_pretrained(bert), AutoModel.from_pretrained(bert).eval()
    pieces = [theirs.tokenize(word) for word in words]
    ids = theirs.convert_tokens_to_ids([piece for word in pieces for piece in word])
    states = transformer(torch.tensor([ids])).last_hidden_state[0]
    means = [part.mean(dim=0) for part in states.split([len(word) for word in pieces])]
    return model.words.project(torch.stack(means))


def test_a_words_state_is_the_mean_over_its_pieces_in_the_librarys_own_reading(bert, model, tokenizer):
    texts = ["[CLS]", "word7", "word12", "[UNK]", "word3", "[SEP]"]
    words = torch.tensor(
        [[1, tokenizer.token_to_id("word7"), tokenizer.token_to_id("word12"), 3, 7, 2, 0, 0]]
    )
    mask = torch.arange(8) < torch.tensor([[6]])
    states = model.words(words, mask)
    torch.testing.assert_close(states[0, :6], read_by_hand(bert, model, texts))
    assert not states[0, 6:].any()


def test_pieces_of_captions_are_those_of_their_words_end_to_end():
    table = torch.tensor([[9, -1, -1], [1, 2, 3], [4, -1, -1], [5, 6, -1]])
    words = torch.tensor([[1, 2, 3], [2, 3, 1]])
    mask = torch.tensor([[True, True, True], [True, True, False]])
    pieces, owner = pieces_of_captions(table, words, mask)
    assert pieces.tolist() == [[1, 2, 3, 4, 5, 6], [4, 5, 6, 0, 0, 0]]
    assert owner.tolist() == [[0, 0, 0, 1, 2, 2], [0, 1, 1, -1, -1, -1]]


def test_a_word_without_pieces_is_unknown_and_a_word_left_out_is_masked(bert):
    odd = ["<pad>", "<start>", "<end>", "<unk>", "word", "\u200b"]
    tokenizer = Tokenizer(WordLevel({word: i for i, word in enumerate(odd)}, unk_token="<unk>"))
    model = create_model("scan", region_dim=6, tokenizer=tokenizer, bert=bert, word_dropout=0.999999)
    assert model.words.pieces.tolist() == [[4], [2], [3], [1], [5], [1]]
    words, mask = torch.tensor([[1, 4, 4, 2]]), torch.ones(1, 4, dtype=torch.bool)
    model.words.transformer.eval()
    masked = model.words(words, mask)
    torch.testing.assert_close(masked, model.eval().words(torch.tensor([[1, 0, 0, 2]]), mask))


def test_attention_of_the_last_layer_can_be_seen(bert, model, batch):
    with capture(model) as seen:
        model.encode_captions(batch)
    found = seen["words.attention"].value
    assert found.shape == (6, 7, 7)
    torch.testing.assert_close(found.sum(dim=-1)[batch.word_mask], torch.ones(int(batch.word_mask.sum())))
    assert not found.masked_select(~batch.word_mask.unsqueeze(1)).any()


def test_a_saved_model_needs_neither_the_bert_nor_the_hub(bert, model, batch, tmp_path, monkeypatch):
    model.save_pretrained(tmp_path)
    monkeypatch.setattr("itr_explore.models.registry.read_bert", None)
    monkeypatch.setattr("transformers.AutoModel.from_pretrained", None)
    assert torch.equal(from_pretrained(tmp_path)(batch), model(batch))
    assert str(bert) not in (tmp_path / "config.json").read_text()


def test_bert_learns_slower_and_can_be_frozen(make_model, batch):
    model = make_model("vse", reader="bert", freeze_bert=True).train()
    model(batch).sum().backward()
    assert all(p.grad is None for p in model.words.transformer.parameters())
    assert model.words.project.weight.grad.any()
    assert not model.words.transformer.training
    assert model.slow_parameters() == {"words.transformer.": 0.1}
    assert make_model("vse").slow_parameters() == {}


def test_a_run_with_bert_goes_on_from_its_checkpoint_to_the_same_weights(bert, tmp_path):
    training, validation = toy_collection(8), toy_collection(4, split="val", seed=1)
    tokenizer = build_tokenizer(training.captions, min_count=1)

    def train(folder, stop_at):
        torch.manual_seed(0)
        model = create_model("vse", region_dim=15, tokenizer=tokenizer, bert=bert, dim=8, box=False)
        steps = fit(
            model,
            training,
            validation,
            epochs=2,
            batch_size=8,
            folder=folder,
            checkpoint_every=1,
            device="cpu",
        )
        for progress in steps:
            if progress.step == stop_at:
                steps.close()
        return model

    train(tmp_path, stop_at=4)
    resumed, whole = train(tmp_path, stop_at=None), train(None, stop_at=None)
    assert all(torch.equal(a, b) for a, b in zip(resumed.parameters(), whole.parameters(), strict=True))


def test_a_recipe_with_bert_keeps_rare_words(bert):
    training = toy_collection(8)
    recipe = recipe_for("vse", "photos")
    model = recipe.make_model(training, bert=bert, dim=8)
    words = {word for caption in training.captions for word in caption.split()}
    assert words <= model.tokenizer.get_vocab().keys()
    assert not words <= recipe.make_model(training).tokenizer.get_vocab().keys()


def test_a_bert_that_is_not_there_is_named(tokenizer, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(FileNotFoundError, match=r"nowhere.*could not be had from the Hugging Face hub"):
        create_model("scan", region_dim=6, tokenizer=tokenizer, bert=tmp_path / "nowhere")


def test_a_folder_that_is_no_bert_is_refused(bert, tokenizer, tmp_path):
    shutil.copytree(bert, tmp_path / "bert")
    config = json.loads((bert / "config.json").read_text())
    (tmp_path / "bert" / "config.json").write_text(json.dumps({**config, "vocab_size": 7}))
    with pytest.raises(ValueError, match="cannot be read as a BERT"):
        create_model("scan", region_dim=6, tokenizer=tokenizer, bert=tmp_path / "bert")
    (tmp_path / "bert" / "config.json").write_text("{}")
    with pytest.raises(ValueError, match="cannot be read as a BERT"):
        create_model("scan", region_dim=6, tokenizer=tokenizer, bert=tmp_path / "bert")


def test_settings_that_contradict_each_other_are_refused_before_anything_is_read(tokenizer, tmp_path):
    def create(**settings):
        create_model("scan", region_dim=6, tokenizer=tokenizer, **settings)

    with pytest.raises(ValueError, match=r'reader="bert" needs a pretrained one; give create_model its name'):
        create(reader="bert")
    with pytest.raises(ValueError, match=r"bert='tiny' was given with reader='gru'"):
        create(bert="tiny", reader="gru")
    with pytest.raises(ValueError, match="no setting 'dimm'"):
        create(bert=tmp_path / "nowhere", dimm=8)


def test_a_caption_longer_than_bert_reads_is_refused(model):
    with pytest.raises(ValueError, match="a caption has 600 pieces of words and bert reads at most 512"):
        model.words(torch.full((1, 600), 3), torch.ones(1, 600, dtype=torch.bool))
