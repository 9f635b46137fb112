import gc
import threading

import pytest
import torch
from toys import toy_collection, toy_model

from itr_explore.training.turns import Stopped, Turns, claimed, cut_short

TRAINING = toy_collection(8)


@pytest.fixture
def model():
    return toy_model(TRAINING)


def in_threads(*tasks):
    threads = [threading.Thread(target=task) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert not any(thread.is_alive() for thread in threads)


def test_turns_are_had_one_at_a_time_and_nobody_starves():
    turns, order, inside = Turns(), [], threading.Semaphore(1)
    both = threading.Barrier(2)

    def worker(name):
        def work():
            both.wait()
            for _ in range(50):
                with turns.taken():
                    assert inside.acquire(blocking=False)
                    order.append(name)
                    inside.release()

        return work

    in_threads(worker("a"), worker("b"))
    assert sorted(order) == ["a"] * 50 + ["b"] * 50


def test_a_turn_goes_to_who_asked_first():
    turns, order = Turns(), []
    asked = [threading.Event(), threading.Event()]

    def wait(name, event):
        def work():
            event.set()
            with turns.taken():
                order.append(name)

        return work

    with turns.taken():
        threads = []
        for name, event in zip("ab", asked, strict=True):
            threads.append(threading.Thread(target=wait(name, event)))
            threads[-1].start()
            event.wait()
            while len(turns._queue) < len(threads) + 1:
                pass
    for thread in threads:
        thread.join(10)
    assert order == ["a", "b"]


def test_who_no_longer_wants_a_turn_is_let_go():
    turns, stop = Turns(), threading.Event()
    with turns.taken():
        stop.set()
        with pytest.raises(Stopped), turns.taken(stop):
            pass
    with turns.taken():
        pass


def test_a_model_is_trained_by_one_run_at_a_time(model):
    other = toy_model(TRAINING)
    told = pytest.raises(RuntimeError, match="toy is being trained already, by a run; stop that run first")
    with claimed(model, "a run"), claimed(other, "a run"), told:
        claimed(model, "another").__enter__()
    with claimed(model, "a run"):
        pass


def test_a_claim_does_not_keep_a_model_alive(model):
    from itr_explore.training import turns

    before = len(turns._claimed)
    holder = claimed(model, "a run")
    holder.__enter__()
    assert len(turns._claimed) == before + 1
    holder.__exit__(None, None, None)
    gc.collect()
    assert len(turns._claimed) == before


def test_a_stop_cuts_a_validation_short_and_never_a_step(model):
    from itr_explore.data.batching import collate

    batch = collate(TRAINING, range(8), range(24), model.tokenizer)
    stop = threading.Event()
    stop.set()
    with cut_short(model, stop):
        model.train().training_loss(batch)
        with torch.no_grad():
            model.eval()(batch)  # a look at collapse, inside a step
        with pytest.raises(Stopped):
            model.eval().encode_images(batch)
    model.eval().encode_images(batch)
