from dataclasses import replace

import pytest

from itr_explore.viz.drawing import Line
from itr_explore.viz.stills.chart import Series, plain, ticks
from itr_explore.viz.stills.training import training_still

LOSS = [Series("matching", [0.1, 0.5, 1.0], [0.4, 0.2, 0.1])]
RECALL = [Series("image → text", [1.0], [52.5], dots=True, ring=1.0)]


def still(probe=None, losses=LOSS, recalls=RECALL, epochs=2, **look):
    facts = {"": "finished", "epoch": "1 of 2"}
    return training_still(
        "toy", facts, ("Trained on scenes.",), losses, recalls, epochs, probe or {}, {2: "hit"}, **look
    )


def test_curves_have_their_last_value_and_the_best_epoch_a_ring(whole, texts):
    drawing = still()
    whole(drawing)
    assert {"0.1", "52.5 %", "finished", "the best validation: its weights are kept"} <= set(texts(drawing))


def test_a_run_that_has_not_begun_says_so(texts):
    assert texts(still(losses=[], recalls=[])).count("nothing yet") == 2


def test_the_probe_has_a_row_for_each_epoch(make_explanation, whole, texts):
    one = make_explanation()
    probe = {epoch: (replace(one, score=epoch), one.maps[0]) for epoch in (0.0, 1.0, 2.0)}
    drawing = still(probe)
    whole(drawing)
    assert {"start", "1", "2", "One pair after epoch 2"} <= set(texts(drawing))
    assert any("“dog”" in text for text in texts(drawing))


def test_of_many_epochs_the_first_the_last_and_some_between_are_shown(make_explanation, texts):
    one = make_explanation()
    said = texts(still({float(epoch): (one, one.maps[0]) for epoch in range(300)}))
    assert {"start", "299"} <= set(said)
    assert len(said) < 200


@pytest.mark.parametrize("width", [360, 820])
@pytest.mark.parametrize(
    "made", [{"picture": None, "boxes": False}, {"regions": 100, "truth": False}], ids=str
)
def test_odd_probes_are_drawn_and_nothing_sticks_out(make_explanation, whole, made, width):
    one = make_explanation(**made)
    whole(still({0.0: (one, one.maps[0]), 3.0: (one, one.maps[0])}, width=width))
    whole(still({0.0: (replace(one, maps=()), None)}, width=width))


def test_terms_of_a_loss_are_told_apart_without_colour():
    lines = [Series(name, [0, 1], [1, value]) for name, value in (("a", 0.5), ("b", 0.2))]
    drawn = [s for s in still(losses=lines, recalls=[]).shapes if isinstance(s, Line) and s.line == 2]
    assert len({line.dash for line in drawn}) == 2


def test_ticks_are_round_and_numbers_short():
    assert ticks(0, 4, 4) == [0, 1, 2, 3, 4]
    assert ticks(0, 0.3, 3) == pytest.approx([0, 0.1, 0.2, 0.3])
    assert [plain(value) for value in (0.25, 100.0, 2.5e-8, -0.5)] == ["0.25", "100", "2.5e−8", "−0.5"]
