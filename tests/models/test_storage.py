import json

import pytest
import torch

from itr_explore.models.registry import from_pretrained, list_pretrained
from itr_explore.models.scan import SCAN
from itr_explore.models.storage import CONFIG, TOKENIZER, WEIGHTS, ZOO, find_folder


@pytest.fixture
def saved(make_model, tmp_path):
    make_model("scan").save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def rewrite(file, **changes):
    described = json.loads(file.read_text())
    file.write_text(json.dumps({**described, **changes}))


def test_a_folder_holds_three_plain_files(saved):
    assert sorted(file.name for file in saved.iterdir()) == sorted([CONFIG, WEIGHTS, TOKENIZER])


def test_saving_over_an_older_model_replaces_it(saved, make_model, batch):
    newer = make_model("scan")
    newer.save_pretrained(saved)
    assert torch.equal(from_pretrained(saved)(batch), newer(batch))


def test_saving_that_fails_leaves_the_older_model_whole(saved, make_model, batch, monkeypatch):
    before = from_pretrained(saved)(batch)

    def full(*_args, **_kwargs):
        raise OSError("no space left on device")

    monkeypatch.setattr("itr_explore.models.storage.save_file", full)
    with pytest.raises(OSError, match="no space"):
        make_model("scan").save_pretrained(saved)
    assert sorted(file.name for file in saved.iterdir()) == sorted([CONFIG, WEIGHTS, TOKENIZER])
    assert torch.equal(from_pretrained(saved)(batch), before)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        from_pretrained(tmp_path / "nowhere")


@pytest.mark.parametrize("name", [CONFIG, WEIGHTS])
def test_a_missing_file_is_named(saved, name):
    (saved / name).unlink()
    with pytest.raises(FileNotFoundError, match=name):
        from_pretrained(saved)


def test_a_model_without_tokenizer_loads(saved):
    (saved / TOKENIZER).unlink()
    assert from_pretrained(saved).tokenizer is None


def test_weights_cut_short_are_refused(saved):
    weights = (saved / WEIGHTS).read_bytes()
    (saved / WEIGHTS).write_bytes(weights[: len(weights) // 2])
    with pytest.raises(ValueError, match="damaged or cut short"):
        from_pretrained(saved)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"model": "scan"}', "\xff"])
def test_a_config_that_is_not_ours_is_refused(saved, text):
    (saved / CONFIG).write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match="does not describe a model"):
        from_pretrained(saved)


def test_a_damaged_tokenizer_is_refused(saved):
    (saved / TOKENIZER).write_text("{")
    with pytest.raises(ValueError, match="not a tokenizer"):
        from_pretrained(saved)


def test_another_format_is_refused(saved):
    rewrite(saved / CONFIG, format=99)
    with pytest.raises(ValueError, match="format 99"):
        from_pretrained(saved)


def test_a_misspelt_setting_in_a_file_is_refused(saved):
    config = json.loads((saved / CONFIG).read_text())["config"]
    rewrite(saved / CONFIG, config={**config, "marginn": 0.1})
    with pytest.raises(ValueError, match="did you mean 'margin'"):
        from_pretrained(saved)


def test_a_config_that_lacks_a_setting_without_default_is_refused(saved):
    rewrite(saved / CONFIG, config={"dim": 16})
    with pytest.raises(ValueError, match="region_dim"):
        from_pretrained(saved)


def test_weights_of_another_size_are_refused(saved):
    config = json.loads((saved / CONFIG).read_text())["config"]
    rewrite(saved / CONFIG, config={**config, "dim": 32})
    with pytest.raises(ValueError, match="do not fit"):
        from_pretrained(saved)


def test_another_models_folder_is_refused_by_a_class(make_model, tmp_path):
    make_model("vsrnpp").save_pretrained(tmp_path / "other")
    with pytest.raises(ValueError, match="holds a 'vsrnpp', not a 'scan'"):
        SCAN.from_pretrained(tmp_path / "other")


def test_an_unknown_model_in_a_file_is_refused(saved):
    rewrite(saved / CONFIG, model="scam")
    with pytest.raises(ValueError, match="did you mean 'scan'"):
        from_pretrained(saved)


def test_the_zoo_lists_models_only():
    assert all(find_folder(name) == ZOO / name for name in list_pretrained())
    assert "region-cnn" not in list_pretrained()


def test_a_hub_id_is_downloaded(saved, monkeypatch):
    asked = []

    def download(repository, allow_patterns):
        asked.append((repository, allow_patterns))
        return str(saved)

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    assert from_pretrained("someone/scan").name == "scan"
    assert asked == [("someone/scan", [CONFIG, WEIGHTS, TOKENIZER])]


def test_a_hub_that_cannot_be_reached_is_said(monkeypatch):
    def fail(*_args, **_kwargs):
        raise OSError("no network")

    monkeypatch.setattr("huggingface_hub.snapshot_download", fail)
    with pytest.raises(FileNotFoundError, match="could not be had from the Hugging Face hub: no network"):
        from_pretrained("someone/scan")


def test_pushing_uploads_the_saved_folder(make_model, monkeypatch):
    sent = {}

    class Hub:
        def create_repo(self, repository, private, exist_ok):
            return f"https://hub/{repository}"

        def upload_folder(self, repo_id, folder_path):
            sent[repo_id] = sorted(file.name for file in folder_path.iterdir())

    monkeypatch.setattr("huggingface_hub.HfApi", Hub)
    assert make_model("scan").push_to_hub("someone/scan") == "https://hub/someone/scan"
    assert sent == {"someone/scan": sorted([CONFIG, WEIGHTS, TOKENIZER])}


def test_half_precision_keeps_the_buffers_whole(make_model, tmp_path):
    model = make_model("vsrnpp", final_norm=True)
    model.image_side.final_norm.running_var.fill_(1e6)  # beyond half precision
    loaded = from_pretrained(model.save_pretrained(tmp_path / "half", half=True))
    assert loaded.image_side.final_norm.running_var.max() == 1e6
    pairs = zip(loaded.parameters(), model.parameters(), strict=True)
    assert all(torch.equal(small, whole.half().float()) for small, whole in pairs)


@pytest.mark.parametrize("name", list_pretrained())
def test_the_zoo_holds_finite_numbers(name):
    assert all(value.isfinite().all() for value in from_pretrained(name).state_dict().values())
