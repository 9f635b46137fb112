"""A progress bar around `fit`, in notebooks and terminals."""

from collections.abc import Iterator

from tqdm.auto import tqdm

from itr_explore.records import Progress

_BAR = "{desc}{percentage:3.0f}%|{bar}| epoch {n:.1f} of {total_fmt} [{elapsed}<{remaining}{postfix}]"


def with_progress_bar(steps: Iterator[Progress], description: str = "training") -> Iterator[Progress]:
    """Pass the news of `fit` on and draw it: loss, learning rate, the best validation so far.

    >>> for progress in with_progress_bar(fit(model, training, validation, epochs=5)):
    ...     pass
    """
    bar = None
    shown: dict[str, str] = {}
    try:
        for progress in steps:
            if bar is None:
                bar = tqdm(total=progress.epochs, desc=description, bar_format=_BAR, unit="epoch")
            shown |= {"loss": f"{sum(progress.losses.values()):.3g}"} if progress.losses else {}
            if progress.validation is not None and progress.best:
                shown["best rsum"] = f"{progress.validation.rsum:.1f}"
            bar.set_postfix(shown, refresh=False)
            bar.update(progress.epoch - bar.n)
            if progress.note:
                bar.write(progress.note)
            yield progress
    finally:
        close = getattr(steps, "close", None)
        if close is not None:
            close()  # the model gets its best weights now, not when the garbage collector comes by
        if bar is not None:
            bar.close()
