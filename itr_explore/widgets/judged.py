"""What views say of a map: which map comes first, the badge after each mention, how many are right."""

from __future__ import annotations

from itr_explore.explanation.verdicts import by_chance, verdicts
from itr_explore.records import Explanation, Map


def first_map(explanation: Explanation) -> Map | None:
    """The map of words and regions that a view shows first."""
    return explanation.best("word_to_region") or explanation.best("region_to_word")


def badges_of(explanation: Explanation, found: Map | None) -> dict[int, str]:
    """The verdict on each mention, by its last word; empty where nobody can say."""
    states: dict[int, str] = {}
    for verdict in () if found is None else verdicts(found, explanation.pair.truth):
        states.setdefault(max(verdict.mention.words), verdict.state)
    return states


def hits_of(explanation: Explanation, found: Map | None = None, chance: bool = False) -> str:
    """How many mentions a map, by default the first, has right; empty where nobody can say."""
    found = first_map(explanation) if found is None else found
    judged = verdicts(found, explanation.pair.truth) if found is not None else ()
    checked = [verdict for verdict in judged if verdict.state != "ungrounded"]
    if not checked:
        return ""
    said = f"{sum(verdict.state == 'hit' for verdict in checked)} of {len(checked)} right"
    return f"{said} (by chance {by_chance(judged, len(explanation.pair.regions)):.1f})" if chance else said


def place_of(word: int | str | None, words: tuple[str, ...]) -> int | None:
    """The position of a word in a caption; None of none.

    Raises:
        ValueError: the caption has no such word.
    """
    if word is None:
        return None
    if isinstance(word, str) and word.lower() in words:
        return words.index(word.lower())
    if isinstance(word, int) and 0 <= word < len(words):
        return word
    raise ValueError(
        f"wanted a word of the caption or its position, got {word!r}; the words are {list(words)}"
    )
