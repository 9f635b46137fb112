"""Filters of a vector search: one small language, whatever holds the vectors.

`year >= 2019 and split in ["val", "test"] and not (author == "anna")`: names of fields, numbers, text in
quotes, True and False; `== != < <= > >=`, `in` and `not in` a list; `and`, `or`, `not` and parentheses. `id`
is a field of every index. It is read once, checked against the fields, and then either worked out on columns
or written in Milvus' words, so that a mistake is the same error everywhere and never reaches a server.
"""

from __future__ import annotations

import ast
import json
import keyword
import math
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

ID = "id"
FIELD_TYPES = {"str": str, "int": int, "float": float, "bool": bool}
MILVUS_WORDS = {"and", "or", "not", "in", "like", "is", "null", "exists", "true", "false", "iso", "interval"}
INTEGERS, WHOLE_FLOATS = range(-(2**63), 2**63), range(-(2**53), 2**53 + 1)
WORDS = "fields, numbers, text in quotes, == != < <= > >=, in [...], and, or, not, parentheses"

_COMPARE: dict[type, tuple[str, Any]] = {
    ast.Eq: ("==", operator.eq),
    ast.NotEq: ("!=", operator.ne),
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le),
    ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge),
}


@dataclass(frozen=True)
class Filter:
    """A checked filter.

    Args:
        text: as it was typed.
        tree: what it says.
        fields: the names that it reads.
    """

    text: str
    tree: ast.expr
    fields: frozenset[str]

    def passes(self, columns: Mapping[str, np.ndarray], rows: int) -> np.ndarray:
        """[row] bool, of columns [row] by name."""
        return np.broadcast_to(_passes(self.tree, columns), (rows,)).astype(bool)

    def milvus(self) -> str:
        """The same as a boolean expression of Milvus."""
        return _milvus(self.tree)


def read_filter(text: str, fields: Mapping[str, type]) -> Filter:
    """A filter from its text.

    Args:
        fields: the type of each field; `id` need not be named.

    Raises:
        ValueError: it cannot be read, names a field that there is not, or compares what cannot be compared;
            the message says where and what there is.
    """
    known = {**fields, ID: int}
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        where = f" at character {error.offset}" if isinstance(error, SyntaxError) and error.offset else ""
        raise ValueError(f"the filter {text!r} cannot be read{where}; a filter has {WORDS}") from error
    try:
        _check(tree, known)
    except _Wrong as error:
        raise ValueError(f"the filter {text!r}: {error}") from error
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return Filter(text, tree, frozenset(names))


def can_be_named(field: str) -> bool:
    """Whether a filter can name a field so, here and in Milvus."""
    return (
        field.isidentifier()
        and field.isascii()
        and not keyword.iskeyword(field)
        and field.lower() not in MILVUS_WORDS
    )


class _Wrong(ValueError):
    """What is wrong, without the filter's text."""


def _check(node: ast.expr, fields: Mapping[str, type]) -> None:
    """Refuse all that is neither a comparison nor put together from some."""
    if isinstance(node, ast.BoolOp):
        for value in node.values:
            _check(value, fields)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        _check(node.operand, fields)
    elif isinstance(node, ast.Compare):
        _check_comparison(node, fields)
    elif isinstance(node, ast.Name):
        if _type(node, fields) is not bool:
            raise _Wrong(f"{node.id} says neither yes nor no; compare it with something")
    else:
        raise _Wrong(f"{ast.unparse(node)} is no comparison; a filter has {WORDS}")


def _check_comparison(node: ast.Compare, fields: Mapping[str, type]) -> None:
    if len(node.ops) > 1:
        raise _Wrong(f"{ast.unparse(node)} compares twice; join two comparisons by and")
    field, op, value = node.left, node.ops[0], node.comparators[0]
    if not isinstance(field, ast.Name):
        raise _Wrong(f"{ast.unparse(node)}: the field stands first, as in year >= 2019")
    wanted = _type(field, fields)
    if isinstance(op, ast.In | ast.NotIn):
        if not isinstance(value, ast.List | ast.Tuple):
            raise _Wrong(f"{ast.unparse(node)}: after in stands a list, as in [1, 2]")
        values: list[ast.expr] = list(value.elts)
    elif type(op) in _COMPARE:
        values = [value]
    else:
        raise _Wrong(f"{ast.unparse(node)} is no comparison; a filter has {WORDS}")
    if wanted is bool and isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE):
        raise _Wrong(f"{field.id} is True or False; take == or !=")
    for one in values:
        given = _value(one)
        fits = (
            isinstance(given, int | float) and not isinstance(given, bool)
            if wanted in (int, float)
            else isinstance(given, wanted)
        )
        if not fits:
            raise _Wrong(f"{field.id} is {wanted.__name__}, it cannot be compared with {given!r}")
        _check_value(given, wanted)


def _check_value(given: str | int | float, wanted: type) -> None:
    """Refuse what one back end could read and another could not."""
    if isinstance(given, str):
        strange = next((one for one in given if _is_strange(one)), None)
        if strange is not None:
            raise _Wrong(f"{given!r} holds the character {strange!r}, which no filter can ask for")
    elif isinstance(given, int) and given not in INTEGERS:
        raise _Wrong(f"a whole number has 64 bits at most: from {INTEGERS[0]} to {INTEGERS[-1]}")
    elif isinstance(given, int) and wanted is float and given not in WHOLE_FLOATS:
        raise _Wrong(f"{given} is more than a float can tell from the next; write {float(given)!r}")
    elif isinstance(given, float) and not math.isfinite(given):
        raise _Wrong("a number is too large: floats end at 1.8e308")


def _is_strange(character: str) -> bool:
    """Half of a pair of surrogates, or a control character that is no white space."""
    return (character < " " and character not in "\t\n\r") or "\ud800" <= character <= "\udfff"


def _type(name: ast.Name, fields: Mapping[str, type]) -> type:
    if name.id not in fields:
        raise _Wrong(f"there is no field {name.id!r}; there are {', '.join(sorted(fields))}")
    return fields[name.id]


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = _value(node.operand)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return -value
    if isinstance(node, ast.Constant) and isinstance(node.value, str | int | float | bool):
        return node.value
    raise _Wrong(f"{ast.unparse(node)} is neither a number nor text in quotes, nor True or False")


def _passes(node: ast.expr, columns: Mapping[str, np.ndarray]) -> np.ndarray:
    if isinstance(node, ast.BoolOp):
        join = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
        found = _passes(node.values[0], columns)
        for value in node.values[1:]:
            found = join(found, _passes(value, columns))
        return found
    if isinstance(node, ast.UnaryOp):
        return ~_passes(node.operand, columns)
    if isinstance(node, ast.Name):
        return columns[node.id].astype(bool)
    assert isinstance(node, ast.Compare)
    assert isinstance(node.left, ast.Name)
    column, op, value = columns[node.left.id], node.ops[0], node.comparators[0]
    if isinstance(value, ast.List | ast.Tuple):
        wanted = [_value(one) for one in value.elts]
        among = np.isin(column, np.array(wanted, dtype=column.dtype if column.dtype == object else None))
        return among if isinstance(op, ast.In) else ~among
    return np.asarray(_COMPARE[type(op)][1](column, _value(value)), dtype=bool)


def _milvus(node: ast.expr) -> str:
    if isinstance(node, ast.BoolOp):
        word = " and " if isinstance(node.op, ast.And) else " or "
        return "(" + word.join(_milvus(value) for value in node.values) + ")"
    if isinstance(node, ast.UnaryOp):
        return f"not ({_milvus(node.operand)})"
    if isinstance(node, ast.Name):
        return f"{node.id} == true"
    assert isinstance(node, ast.Compare)
    assert isinstance(node.left, ast.Name)
    op, value = node.ops[0], node.comparators[0]
    if isinstance(value, ast.List | ast.Tuple):
        word = "in" if isinstance(op, ast.In) else "not in"
        return f"({node.left.id} {word} [{', '.join(_written(_value(one)) for one in value.elts)}])"
    return f"({node.left.id} {_COMPARE[type(op)][0]} {_written(_value(value))})"


def _written(value: Any) -> str:
    """A value as Milvus reads it."""
    return json.dumps(value, ensure_ascii=False)
