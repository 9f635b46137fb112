"""The command line: `itr-explore` demo, train, evaluate, explain, search, extract, features, report, doctor.

Each command is a few lines over the public functions, so that whatever it does can be done in a notebook.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from pathlib import Path

PAIRS_TO_SHOW = 4  # how many pairs the demo's page explains
FAULTS = (
    ValueError,
    LookupError,
    ArithmeticError,
    OSError,
    RuntimeError,
    ImportError,
)  # their messages say what to do


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status (2: the input was at fault and a message says how)."""
    options = parser().parse_args(arguments)
    try:
        return options.run(options)
    except FAULTS as error:
        message = error.args[0] if isinstance(error, KeyError) and error.args else error
        if _should_say():
            print(f"itr-explore {options.command}: {message}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    """The options of every command."""
    top = argparse.ArgumentParser(prog="itr-explore", description="Teach and explore image-text retrieval.")
    commands = top.add_subparsers(dest="command", required=True, metavar="command")

    def command(run, help_text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(run.__name__, help=help_text, description=help_text)
        made.set_defaults(run=run)
        if run in (doctor, features):
            return made
        made.add_argument(
            "--collection",
            default="scenes",
            help="scenes; a folder: in the field's layout, of Flickr30k Entities, a saved set, or photos with"
            " captions beside them; or hub:OWNER/NAME (default: scenes)",
        )
        if run is not extract:
            made.add_argument(
                "--regions",
                metavar="STORE|MODEL",
                help="where the collection has no regions yet: the folder of a region store, or a model as in"
                " `extract`, whose regions are kept",
            )
            made.add_argument(
                "--guide", metavar="MODEL", help="give each image the vector that this CLIP makes of it"
            )
        if run is not explain:
            made.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default: auto)")
        return made

    made = command(demo, "Load or train, evaluate, explain some pairs, write one self-contained page.")
    made.add_argument("--model", default="scan", help="a system to train or load, or a folder of weights")
    made.add_argument("--train", action="store_true", help="train even where weights are at hand")
    made.add_argument("--out", type=Path, default=Path("out/demo.html"))

    made = command(train, "Train a system; interrupted runs go on where they stopped.")
    made.add_argument(
        "--recipe", help="user-f30k and the like, or a TOML file: says model, preset and the rest"
    )
    made.add_argument("--data", type=Path, help="the folder of a recipe's data: features and captions")
    made.add_argument("--bert", help="read words by this BERT: a name on the Hugging Face hub, or a folder")
    made.add_argument("--model", help="a system, where there is no --recipe (default: scan)")
    made.add_argument("--preset", choices=["tiny", "base", "paper"])
    made.add_argument("--epochs", type=int)
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--folder", type=Path, required=True, help="where checkpoints and weights go")

    made = command(evaluate, "Print recall both ways, and grounding where the truth is known.")
    made.add_argument("--model", required=True, help="a name of the zoo, a folder of weights, or a hub id")
    made.add_argument("--split", default="test")

    made = command(explain, "Write the linked view of one pair as a page of its own.")
    made.add_argument("--model", required=True)
    made.add_argument("--split", default="test")
    made.add_argument("--image", type=int, default=0, help="which image of the split, from 0")
    made.add_argument("--caption", type=int, default=0, help="which of its captions, from 0")
    made.add_argument("--out", type=Path, default=Path("out/pair.html"))

    made = command(search, "Find the images that fit a sentence, or the captions that fit an image.")
    made.add_argument("--model", required=True)
    made.add_argument("--split", default="test")
    asked = made.add_mutually_exclusive_group(required=True)
    asked.add_argument("--text", help="any sentence: images are searched")
    asked.add_argument("--image", type=int, help="an image of the split, from 0: captions are searched")
    made.add_argument("--results", type=int, default=10, help="how many (default: 10)")
    made.add_argument(
        "--index",
        metavar="FILE|URI",
        help="keep vectors there and search them: a folder, FILE.db (Milvus Lite) or http://HOST:19530"
        " (default: in memory, each time anew)",
    )
    made.add_argument("--filter", help="only what passes, as in 'regions >= 10'")
    made.add_argument("--candidates", type=int, help="how many a model scores itself, of two stages")

    made = command(extract, "Make regions of a collection's pictures; an interrupted run goes on.")
    made.add_argument("--split", default="test")
    made.add_argument(
        "--model",
        default="clip-tiny-scenes",
        help="a detector's .onnx file; or a detector or any vision model: a folder, a hub id, or"
        " clip-tiny-scenes, the default",
    )
    made.add_argument("--out", type=Path, required=True, help="the folder of the region store")
    made.add_argument("--pool", type=int, help="of a vision model: so many rows and columns of regions")
    made.add_argument("--top", type=int, help="of a detector: boxes an image at most (default: 36)")
    made.add_argument(
        "--eyes", metavar="MODEL", help="of a detector: the vision model that looks at the boxes"
    )
    made.add_argument("--batch-size", type=int, default=32)

    made = command(features, "Convert features between the field's forms, or check a region store.")
    tasks = made.add_subparsers(dest="task", required=True, metavar="convert | check")
    task = tasks.add_parser("convert", help="a store's folder, .tsv, .npz or _ims.npy into another of these")
    task.add_argument("source", type=Path)
    task.add_argument("target", type=Path)
    task.add_argument("--extractor", help="what made a file's features, so that a store takes several files")
    task = tasks.add_parser("check", help="compare all checksums of a store; status 1 where they differ")
    task.add_argument("store", type=Path)
    task.add_argument(
        "--set-aside", action="store_true", help="take damaged shards out, so that extract makes them anew"
    )

    made = command(report, "Write a page about a model: tables, charts, some pairs, the worst queries.")
    made.add_argument("--model", required=True)
    made.add_argument("--split", default="test")
    made.add_argument("--images", type=int, help="only the first so many images")
    made.add_argument(
        "--faithful",
        type=int,
        default=0,
        metavar="PAIRS",
        help="measure on so many pairs whether attributions are faithful (default: leave it out)",
    )
    made.add_argument("--out", type=Path, default=Path("out/report.html"))
    command(doctor, "Say what is installed, what is wrong with it and what to do; status 1 on a problem.")
    return top


def open_collection(name: str, split: str):
    """`scenes`, a folder of any layout that is read, or `hub:owner/name`."""
    from itr_explore.data.sources import open_source

    return open_source(name, split)


def with_extras(collection, options: argparse.Namespace):
    """The collection with the regions and the guide that `--regions` and `--guide` name."""
    from itr_explore import guide_vectors
    from itr_explore.data.extractors import open_extractor
    from itr_explore.data.store import MANIFEST

    if options.regions is not None:
        kept = (Path(options.regions) / MANIFEST).is_file()
        source = options.regions if kept else open_extractor(options.regions, device=_device(options))
        collection = collection.with_regions(source)
    if options.guide is not None:
        vectors = guide_vectors(collection, options.guide, device=_device(options))
        collection = collection.with_guide(vectors)
    return collection


def _collection(options: argparse.Namespace):
    return with_extras(open_collection(options.collection, options.split), options)


def _measured_on(options: argparse.Namespace, split: str):
    """The collection to measure on: never photos that training saw."""
    from itr_explore.data.sources import open_evaluation

    return with_extras(open_evaluation(options.collection, split), options)


def _device(options: argparse.Namespace) -> str:
    return getattr(options, "device", "auto")


def demo(options: argparse.Namespace) -> int:
    """From nothing to a checked attention map, without a browser."""
    from itr_explore import explore
    from itr_explore.widgets.page import save_page

    test = _measured_on(options, "test")
    model = _load_or_train(options)
    recall, grounding = _measure(model, test, options.device)
    told = [image for image in range(len(test)) if len(test.captions_of(image))]
    views = [explore(model, test.pair(told[place])) for place in _spread(len(told), PAIRS_TO_SHOW)]
    page = save_page(
        options.out,
        title=f"{model.name} on {test.name}",
        tables=[table for table in (recall, grounding) if table is not None],
        views=views,
    )
    print(f"\nwrote {page} ({page.stat().st_size / 1e6:.1f} MB): open it in any browser")
    return 0


def train(options: argparse.Namespace) -> int:
    """Train on `train`, choose on `val`; `test` is never touched."""
    from itr_explore.training.processes import Processes

    processes = Processes(options.device)
    model = _train(options, options.folder)
    if processes.first:
        print(f"saved {model.save_pretrained(options.folder / 'weights')}")
    return 0


def evaluate(options: argparse.Namespace) -> int:
    """Print the recall and the grounding tables."""
    from itr_explore import from_pretrained

    _measure(from_pretrained(options.model), _measured_on(options, options.split), options.device)
    return 0


def explain(options: argparse.Namespace) -> int:
    """Write the linked view of one pair."""
    from itr_explore import explore, from_pretrained

    model, collection = from_pretrained(options.model), _collection(options)
    print(explore(model, collection.pair(options.image, caption=options.caption)).save_html(options.out))
    return 0


def search(options: argparse.Namespace) -> int:
    """Print what fits a sentence, or an image."""
    from itr_explore import Gallery, from_pretrained
    from itr_explore.data.devices import choose_device

    model = from_pretrained(options.model).to(choose_device(options.device))
    collection = _collection(options)
    gallery = Gallery(model, collection, index=options.index, candidates=options.candidates)
    try:
        settings = {"k": options.results, "filter": options.filter}
        if options.text is not None:
            print(gallery.images_for(options.text, **settings))
        else:
            print(gallery.captions_for(options.image, **settings))
    finally:
        gallery.close()
    return 0


def extract(options: argparse.Namespace) -> int:
    """Make regions of pictures."""
    from itr_explore import extract_regions
    from itr_explore.data.extractors import open_extractor

    collection = open_collection(options.collection, options.split)
    settings = {"pool": options.pool, "top": options.top, "eyes": options.eyes}
    extractor = open_extractor(options.model, device=options.device, **settings)
    print(extract_regions(collection, extractor, options.out, batch_size=options.batch_size))
    return 0


def features(options: argparse.Namespace) -> int:
    """Convert features, or check a store."""
    from itr_explore import RegionStore, convert_features
    from itr_explore.data.store import set_aside_damaged

    if options.task == "convert":
        print(f"wrote {convert_features(options.source, options.target, extractor=options.extractor)}")
        return 0
    found = set_aside_damaged(options.store) if options.set_aside else RegionStore(options.store).verify()
    print(RegionStore(options.store))
    for name, why in found.items():
        print(f"shard {name} is damaged: {why}")
    return 1 if found else 0


def report(options: argparse.Namespace) -> int:
    """Write a page about a model."""
    from itr_explore import from_pretrained, save_report

    model, collection = from_pretrained(options.model), _measured_on(options, options.split)
    if options.images is not None:
        collection = collection.subset(range(min(options.images, len(collection))))
    print(save_report(model, collection, options.out, faithful_pairs=options.faithful, device=options.device))
    return 0


def doctor(options: argparse.Namespace) -> int:
    """Print what is wrong with this installation."""
    from itr_explore import doctor as look

    found = look()
    print(found)
    return 1 if found.state == "problem" else 0


def _load_or_train(options: argparse.Namespace):
    """Weights by folder or from the zoo where there are any, else a training run that can be resumed."""
    from itr_explore import from_pretrained, list_pretrained

    if Path(options.model).exists() or options.model in list_pretrained():
        return from_pretrained(options.model)
    in_zoo = f"{options.model}-tiny-scenes"
    if options.collection == "scenes" and in_zoo in list_pretrained() and not options.train:
        return from_pretrained(in_zoo)
    place = Path(options.collection).resolve() if options.collection != "scenes" else "scenes"
    which = hashlib.sha256(str(place).encode()).hexdigest()[:8]  # two folders may have one name
    folder = options.out.parent / f"{options.model}-{Path(options.collection).name}-{which}"
    weights = folder / "weights"
    if weights.exists() and not options.train:
        return from_pretrained(weights)
    model = _train(options, folder)
    model.save_pretrained(weights)
    return model


def _train(options: argparse.Namespace, folder: Path):
    from itr_explore import fit
    from itr_explore.data.sources import is_another_source, open_training
    from itr_explore.training.processes import Processes
    from itr_explore.training.progress import with_progress_bar
    from itr_explore.training.recipes import shortened

    recipe, data = _recipe_and_data(options)
    recipe = shortened(recipe, getattr(options, "epochs", None))
    other = data is not None and is_another_source(data)
    training, validation = open_training(data) if other else recipe.open(data)
    training, validation = (with_extras(collection, options) for collection in (training, validation))
    given = {name: getattr(options, name, None) for name in ("preset", "bert")}
    if options.guide is not None:
        given["guide_dim"] = training.guide_dim
    model = recipe.make_model(training, **{name: value for name, value in given.items() if value})
    steps = fit(
        model,
        training,
        validation,
        **recipe.settings,
        seed=getattr(options, "seed", 0),
        device=options.device,
        folder=folder,
    )
    for _ in with_progress_bar(steps) if Processes(options.device).first else steps:
        pass
    return model


def _should_say() -> bool:
    """Whether an error is printed here: one of several processes prints it."""
    if int(os.environ.get("WORLD_SIZE") or 1) == 1:
        return True  # without importing torch
    from itr_explore.training.processes import first_to_say

    return first_to_say()


def _recipe_and_data(options: argparse.Namespace):
    """What to train by, and the folder to train on (None: scenes)."""
    from itr_explore.training.recipes import load_recipe, recipe_for

    folder = None if options.collection == "scenes" else options.collection
    if getattr(options, "recipe", None) is None:
        if getattr(options, "data", None) is not None:
            raise ValueError("--data goes with --recipe; name a folder without a recipe by --collection")
        return recipe_for(options.model or "scan", "photos" if folder else "scenes"), folder
    recipe = load_recipe(options.recipe)
    if options.model not in (None, recipe.system):
        raise ValueError(f"--recipe {options.recipe} trains {recipe.system}, --model says {options.model}")
    return recipe, options.data or folder


def _measure(model, collection, device: str):
    """Print and return the recall table, and the grounding table where the truth is known (else None).

    Several processes share the ranking; the first one does the rest and prints.
    """
    from itr_explore import evaluate as rank
    from itr_explore import ground
    from itr_explore.training.processes import Processes

    processes = Processes(device)
    device = str(processes.device)
    with processes.together():
        recall = rank(model, collection, device=device)
    if not processes.first:
        return recall, None
    print(f"\n{model.name} on {collection.name}\n\n{recall}")
    grounding = ground(model, collection, device=device) if collection.has_truth else None
    if grounding is not None:
        print(f"\n{grounding}")
    return recall, grounding


def _spread(images: int, wanted: int) -> list[int]:
    """Some images, evenly spread over a collection."""
    wanted = min(images, wanted)
    return [place * images // wanted for place in range(wanted)]


if __name__ == "__main__":
    sys.exit(main())
