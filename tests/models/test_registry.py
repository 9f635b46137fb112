import re

import pytest

from itr_explore.models.registry import create_model, from_pretrained, list_models


def test_the_five_systems_and_their_baselines_are_there():
    systems, baselines = {"bssan", "lgsf", "racg", "user", "vsrnpp"}, {"chan", "scan", "vse", "vse_infty"}
    assert set(list_models()) == systems | baselines


def test_an_unknown_model_gets_near_names(tokenizer):
    with pytest.raises(ValueError, match="did you mean 'vsrnpp'"):
        create_model("vsrn++", region_dim=6, tokenizer=tokenizer)


def test_an_unknown_preset_gets_the_names_there_are(tokenizer):
    with pytest.raises(ValueError, match="no preset 'huge'; there is base, paper, tiny"):
        create_model("scan", "huge", region_dim=6, tokenizer=tokenizer)


def test_a_misspelt_setting_gets_near_names(tokenizer):
    with pytest.raises(ValueError, match="no setting 'directoin'; did you mean 'direction'"):
        create_model("scan", region_dim=6, tokenizer=tokenizer, directoin="image_to_text")


def test_a_setting_out_of_range_is_refused(tokenizer):
    with pytest.raises(ValueError, match="pooling must be AVG or LSE, got 'MAX'"):
        create_model("scan", region_dim=6, tokenizer=tokenizer, pooling="MAX")


def test_nothing_of_that_name_says_where_models_may_come_from():
    with pytest.raises(FileNotFoundError, match=r"the zoo has .*named 'owner/name'"):
        from_pretrained("scan-tiny-scenery")


def test_a_preset_can_be_overridden(tokenizer):
    model = create_model("scan", region_dim=6, tokenizer=tokenizer, dim=32)
    assert model.config.dim == 32
    assert model.config.vocabulary_size == tokenizer.get_vocab_size()


def test_paper_presets_have_the_published_sizes(tokenizer):
    from itr_explore.models.registry import model_class

    assert model_class("scan").presets["paper"]["dim"] == 1024
    assert model_class("vsrnpp").presets["paper"]["dim"] == 2048
    assert not any(model_class(name).presets["paper"]["box"] for name in list_models())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("dim", 0), ("dim", "128"), ("dim", True), ("box", 1), ("dropout", 1.0), ("dropout", -0.1),
        ("dropout", "a"), ("dropout", None), ("temperature", 0), ("margin", float("nan")), ("layers", -1),
        ("text_layers", 1.5), ("affinity_divisor", 0), ("region_order", ["given"]),
    ],
)  # fmt: skip
def test_a_setting_of_a_wrong_kind_or_out_of_range_is_named(tokenizer, name, value):
    with pytest.raises(ValueError, match=f"^{name} must be .*, got {re.escape(repr(value))}$"):
        create_model("vsrnpp", region_dim=6, tokenizer=tokenizer, **{name: value})


def test_a_saved_model_whose_name_is_no_text_is_refused(tokenizer, tmp_path):
    create_model("scan", region_dim=6, tokenizer=tokenizer, dim=8).save_pretrained(tmp_path)
    config = (tmp_path / "config.json").read_text()
    (tmp_path / "config.json").write_text(config.replace('"scan"', '["scan"]'))
    with pytest.raises(ValueError, match=r"there is no model \['scan'\]"):
        from_pretrained(tmp_path)


def test_names_of_models_and_presets_are_texts(tokenizer):
    with pytest.raises(ValueError, match=r"there is no model \['scan'\]"):
        create_model(["scan"], region_dim=6, tokenizer=tokenizer)
    with pytest.raises(ValueError, match=r"scan has no preset \['tiny'\]"):
        create_model("scan", ["tiny"], region_dim=6, tokenizer=tokenizer)
