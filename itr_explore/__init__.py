"""Teach and explore image-text retrieval: train published systems, look inside, check every picture.

Public names are re-exported here one by one and loaded when first used, so that `import itr_explore` is
quiet and fast.
"""

from importlib import import_module

__version__ = "0.1.0"

_HOME = {
    "Attribution": "records",
    "Batch": "records",
    "Encoded": "records",
    "Explanation": "records",
    "History": "records",
    "Found": "records",
    "Intervention": "records",
    "Map": "records",
    "Pair": "records",
    "Progress": "records",
    "QueryRanks": "records",
    "Ranking": "records",
    "Space": "records",
    "Truth": "records",
    "Collection": "data.collection",
    "Contrast": "records",
    "build_tokenizer": "data.text",
    "guide_vectors": "data.guide",
    "aggregate": "explanation.aggregate",
    "alignment": "viz.alignment",
    "maps_beside": "viz.alignment",
    "attribute": "explanation.attribution",
    "attribution_bars": "viz.attribution",
    "capture": "nn.tap",
    "centralities": "explanation.graph",
    "check": "exercises",
    "doctor": "installation",
    "contrast": "explanation.contrast",
    "compare_images": "explanation.contrast_images",
    "contrast_bars": "viz.contrast",
    "CutEdge": "explanation.edits",
    "DropRegion": "explanation.edits",
    "MeanEdge": "explanation.edits",
    "RemoveWord": "explanation.edits",
    "ReplaceRegion": "explanation.edits",
    "ReplaceWord": "explanation.edits",
    "ReverseEdge": "explanation.edits",
    "SwapRegions": "explanation.edits",
    "edit": "nn.tap",
    "intervene": "explanation.intervention",
    "intervention_strips": "viz.intervention",
    "create_model": "models.registry",
    "from_pretrained": "models.registry",
    "list_models": "models.registry",
    "list_pretrained": "models.registry",
    "load_word_vectors": "models.word_vectors",
    "fit": "training.fit",
    "list_recipes": "training.recipes",
    "load_recipe": "training.recipes",
    "evaluate": "evaluation.ranking",
    "evaluate_edited": "evaluation.interventions",
    "faithfulness": "evaluation.faithfulness",
    "cascade_lines": "viz.faithfulness",
    "interval_dots": "viz.intervals",
    "removal_curves": "viz.faithfulness",
    "ground": "evaluation.grounding",
    "draw_graph": "viz.graphs",
    "explain": "explanation.maps",
    "query_ranks": "evaluation.queries",
    "error_classes": "evaluation.errors",
    "above_negatives": "evaluation.errors",
    "relevance": "evaluation.relevance",
    "agreement": "evaluation.relevance",
    "read_judgments": "data.judgments",
    "read_negatives": "data.judgments",
    "read_relevance": "data.relevance_files",
    "scene_negatives": "data.judgments",
    "recall_bars": "viz.recall",
    "score_matrix": "evaluation.encoding",
    "embedding_space": "evaluation.spaces",
    "embedding_map": "viz.space_map",
    "similarity_matrix": "viz.scores",
    "score_histograms": "viz.scores",
    "swap_accuracy": "evaluation.relations",
    "training_curves": "viz.training",
    "verdicts": "explanation.verdicts",
    "with_progress_bar": "training.progress",
    "region_graph": "explanation.graph",
    "Gallery": "search.gallery",
    "ExactIndex": "search.exact",
    "MilvusIndex": "search.milvus",
    "open_index": "search.index",
    "plan_index": "search.sizes",
    "coarse_recall": "search.recall",
    "explore": "widgets.pair_view",
    "PairView": "widgets.pair_view",
    "RetrievalDemo": "widgets.retrieval_demo",
    "save_report": "widgets.report",
    "TrainingMonitor": "widgets.training_monitor",
    "compare": "widgets.model_compare",
    "ModelCompare": "widgets.model_compare",
    "disagreements": "evaluation.side_by_side",
    "Disagreements": "evaluation.side_by_side",
    "with_controls": "evaluation.controls",
    "GraphExplorer": "widgets.graph_explorer",
    "EncodedGallery": "explanation.intervention",
    "explain_edges": "explanation.edges",
    "layouts": "explanation.layouts",
    "moved_words": "explanation.edges",
    "word_graph": "explanation.graph",
}

__all__ = [*_HOME, "__version__"]


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"module 'itr_explore' has no attribute {name!r}; it has {', '.join(__all__)}")
    value = getattr(import_module(f"itr_explore.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
