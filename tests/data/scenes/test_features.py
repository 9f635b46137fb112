import numpy as np
import torch
from PIL import Image

from itr_explore.data.scenes.features import NOTHING, RegionCNN, RegionConfig, crop, describe, region_cnn
from itr_explore.data.scenes.train_features import IGNORE, labelled, measure, train

RED, BLUE = (200, 30, 30), (30, 30, 200)


def halves():
    """Left half red, right half blue."""
    image = Image.new("RGB", (320, 240), BLUE)
    image.paste(RED, (0, 0, 160, 240))
    return image


def test_a_crop_shows_what_is_in_its_box():
    left, right = crop(halves(), np.array([[0.0, 0.1, 0.4, 0.9], [0.6, 0.1, 1.0, 0.9]]))
    assert (left == RED).all()
    assert (right == BLUE).all()


def test_a_crop_shows_a_tenth_of_its_box_around_it():
    (piece,) = crop(halves(), np.array([[0.5, 0.2, 0.75, 0.8]]))  # the blue half, from the border on
    red_columns = (piece[:, :, 0] > piece[:, :, 2]).all(axis=0).sum()
    assert red_columns == round(32 * 0.1 / 1.2)


def test_a_feature_depends_on_the_pixels_in_its_box_and_on_nothing_else():
    image = Image.new("RGB", (320, 240), (90, 160, 90))
    image.paste(RED, (40, 40, 80, 80))
    image.paste(RED, (200, 120, 240, 160))
    boxes = np.array([[40 / 320, 40 / 240, 80 / 320, 80 / 240], [200 / 320, 120 / 240, 240 / 320, 160 / 240]])
    features, labels, _ = describe([image], [boxes])
    np.testing.assert_allclose(features[0], features[1], atol=1e-5)
    assert labels[0] == labels[1]


def test_describing_many_images_at_once_equals_one_by_one():
    boxes = [np.array([[0.0, 0.0, 1.0, 1.0]]), np.array([[0.2, 0.2, 0.9, 0.7], [0.0, 0.0, 0.5, 0.5]])]
    images = [halves(), halves().transpose(Image.Transpose.ROTATE_180)]
    together = describe(images, boxes)
    alone = [describe([image], [box]) for image, box in zip(images, boxes, strict=True)]
    np.testing.assert_allclose(together[0], np.concatenate([one[0] for one in alone]), atol=1e-5)
    assert together[1] == [label for one in alone for label in one[1]]


def test_a_saved_network_gives_the_same_features(tmp_path):
    model = RegionCNN(RegionConfig(feature=8, channels=(4, 4, 4, 4))).eval()
    model.save(tmp_path)
    crops = torch.randint(0, 256, (3, 32, 32, 3), dtype=torch.uint8)
    again = RegionCNN.load(tmp_path)
    assert again.config == model.config
    torch.testing.assert_close(again(crops), model(crops), atol=2e-3, rtol=2e-2)  # kept as float16


def test_labels_name_colour_and_kind_or_the_setting():
    names = {"kind": (NOTHING, "car"), "colour": ("red", "blue"), "setting": ("beach",)}
    model = RegionCNN(RegionConfig(feature=2, names=names))
    with torch.no_grad():
        model.classifiers["kind"].weight.copy_(torch.tensor([[0.0, 9.0], [9.0, 0.0]]))
        model.classifiers["colour"].weight.copy_(torch.tensor([[9.0, 0.0], [0.0, 9.0]]))
        for layer in model.classifiers.values():
            layer.bias.zero_()
    labels, certainties = model.label(torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
    assert labels == ["red car", "beach"]
    sure = 1 / (1 + np.exp(-9))
    np.testing.assert_allclose(certainties, [sure**2, sure], rtol=1e-5)


def test_training_labels_are_silent_where_a_crop_shows_a_thing_only_in_part():
    found = labelled(0, "train", 0, drafts=20)
    shows = found["kind"] > 0
    assert (found["colour"][shows] >= 0).all()
    assert (found["colour"][~shows] == IGNORE).all()
    assert {IGNORE, 0} <= set(found["kind"].tolist())
    assert found["crops"].shape == (len(shows), 32, 32, 3)


def test_training_learns_colours_and_folds_its_norms_away():
    colours = torch.tensor([[200, 30, 30], [30, 200, 30], [30, 30, 200]], dtype=torch.uint8)
    rows = torch.arange(300) % 3
    crops = colours[rows][:, None, None].repeat(1, 32, 32, 1)
    data = {
        "crops": crops,
        "kind": torch.zeros(300).long(),
        "colour": rows,
        "setting": torch.zeros(300).long(),
    }
    model = train(data, epochs=6, seed=0, batch=50)
    assert not any(
        isinstance(layer, torch.nn.BatchNorm2d | torch.nn.BatchNorm1d) for layer in model.modules()
    )
    assert measure(model, {**data, "plain": torch.ones(300).bool()})["plain colour"] == 1.0


def test_training_is_the_same_for_the_same_seed():
    data = gather_few()
    one, other = (train(data, epochs=1, seed=3, batch=16) for _ in range(2))
    torch.testing.assert_close(one.state_dict(), other.state_dict(), atol=0, rtol=0)


def gather_few():
    found = labelled(0, "train", 0, drafts=3)
    return {name: torch.from_numpy(values) for name, values in found.items()}


def test_the_network_that_ships_knows_things_it_was_not_trained_on():
    found = [labelled(index, "test", 5, drafts=1) for index in range(60)]
    data = {name: torch.from_numpy(np.concatenate([one[name] for one in found])) for name in found[0]}
    shares = measure(region_cnn(), data)
    promised = region_cnn().config.measured
    assert shares["plain kind"] > promised["plain kind"] - 0.05
    assert shares["plain colour"] > promised["plain colour"] - 0.05
    assert min(promised["plain kind"], promised["plain colour"]) > 0.9
