"""Reading formula.py: one function, small enough for a committee's paper.

The file is checked line by line before any of it runs, and it runs without Python's
own functions: all it can reach is the vocabulary. What is not on the list below is
refused, so there is no loop, no attribute, no float and no second function.
"""

import ast
from collections.abc import Callable, Sequence
from typing import NoReturn

from carbonhui.core.amounts import LARGEST_AMOUNT
from carbonhui.methodology import formula
from carbonhui.methodology.compilers import Formula
from carbonhui.methodology.formula import Quantity, Whole, whole
from carbonhui.methodology.refusals import (
    FormulaArgumentsDiffer,
    FormulaFileUnreadable,
    FormulaLineRefused,
    FormulaResultOutOfRange,
)

VOCABULARY = ("where", "minimum", "maximum", "all_of", "any_of")
TYPES = ("Whole", "Condition")
LONGEST_FILE = 20_000

_MODULE = formula.__name__
_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.FloorDiv, ast.Mod, ast.BitAnd, ast.BitOr)
_COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
_INSTEAD = {
    "Div": ("a division /", "write //, which rounds down"),
    "Pow": ("a power **", "write the multiplications one by one"),
    "IfExp": ("a choice by if", "write where(condition, a, b)"),
    "If": ("a choice by if", "write where(condition, a, b)"),
    "BoolOp": ("and / or", "write all_of(a, b) or any_of(a, b)"),
    "For": ("a loop", "write the steps one by one"),
    "While": ("a loop", "write the steps one by one"),
    "Attribute": ("a dot", "a formula knows only its own names"),
    "Import": ("an import", f"only {_MODULE} may be imported from"),
}


def read_formula(text: str, quantities: Sequence[Quantity]) -> Formula:
    """The one formula of the file, over exactly these quantities.

    Its result is proven to be a whole number of milligrams from 0 to 2^53 - 1.
    """
    tree = _parsed(text)
    known = _check_top_level(tree)
    [function] = [part for part in tree.body if isinstance(part, ast.FunctionDef)]
    _check_function(function, known)
    names = [argument.arg for argument in function.args.args]
    _refuse_other_arguments(names, [asked.name for asked in quantities])
    by_name = {asked.name: asked for asked in quantities}
    result = _result(tree, function.name, [by_name[name] for name in names])
    if result.low < 0 or result.high > LARGEST_AMOUNT:
        raise FormulaResultOutOfRange(low=result.low, high=result.high, largest=LARGEST_AMOUNT)
    return Formula(result, tuple(quantities))


def _parsed(text: str) -> ast.Module:
    if len(text) > LONGEST_FILE:
        raise FormulaFileUnreadable(reason=f"it has {len(text)} characters; at most {LONGEST_FILE} are read")
    try:
        return ast.parse(text, "formula.py")
    except SyntaxError as error:
        raise FormulaFileUnreadable(reason=f"{error.msg} (line {error.lineno})") from error
    except (RecursionError, MemoryError, ValueError) as error:
        raise FormulaFileUnreadable(reason="it is nested too deeply or holds a null character") from error


def _check_top_level(tree: ast.Module) -> set[str]:
    """The names that the file knows outside its function."""
    known: set[str] = set()
    functions = 0
    for place, part in enumerate(tree.body):
        if isinstance(part, ast.FunctionDef) and not part.name.startswith("_") and functions == 0:
            functions += 1
        elif isinstance(part, ast.ImportFrom):
            known |= _imported(part)
        elif isinstance(part, ast.Assign):
            known.add(_constant_name(part, known))
        elif not (place == 0 and _is_docstring(part)):
            _refuse(part, "a file holds a docstring, imports, whole constants and one public function")
    if not functions:
        raise FormulaFileUnreadable(reason="it has no public function")
    return known


def _imported(part: ast.ImportFrom) -> set[str]:
    for name in part.names:
        if part.module != _MODULE or part.level or name.asname or name.name not in VOCABULARY + TYPES:
            found = f"an import of {name.name} from {part.module or '.'}"
            _refuse(part, f"only {', '.join(VOCABULARY + TYPES)} may be imported, from {_MODULE}", found)
    return {name.name for name in part.names}


def _constant_name(part: ast.Assign, known: set[str]) -> str:
    name = _assigned_name(part, known)
    value = part.value
    if isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.USub):
        value = value.operand
    if not isinstance(value, ast.Constant):
        _refuse(value, "outside the function a name stands for one whole number")
    _check_node(value, known)
    return name


def _assigned_name(part: ast.Assign, known: set[str]) -> str:
    target = part.targets[0]
    taken = known | set(VOCABULARY + TYPES)
    if len(part.targets) > 1 or not isinstance(target, ast.Name) or target.id.startswith("_") or target.id in taken:
        _refuse(part, "an assignment gives one new name, without a leading _", "an assignment to another target")
    return target.id


def _check_function(function: ast.FunctionDef, known: set[str]) -> None:
    _check_signature(function, known)
    known = known | {argument.arg for argument in function.args.args}
    body = function.body[1:] if _is_docstring(function.body[0]) else function.body
    for place, part in enumerate(body):
        last = place == len(body) - 1
        if not isinstance(part, ast.Return if last else ast.Assign) or part.value is None:
            _refuse(part, "the function names intermediate results, one by one, and ends with one return")
        for node in ast.walk(part.value):
            _check_node(node, known)
        if isinstance(part, ast.Assign):
            known = known | {_assigned_name(part, known)}
    if not body:
        _refuse(function, "the function ends with one return", "no return")


def _check_signature(function: ast.FunctionDef, known: set[str]) -> None:
    given = function.args
    special = given.posonlyargs or given.kwonlyargs or given.vararg or given.kwarg or given.defaults
    if special or function.decorator_list:
        _refuse(function, "a function is a name and plain arguments", "defaults, stars or a decorator")
    for note in [function.returns, *(argument.annotation for argument in given.args)]:
        if note is not None and not (isinstance(note, ast.Name) and note.id in known & set(TYPES)):
            _refuse(note, f"an annotation is one of {', '.join(TYPES)}, imported")
    for argument in given.args:
        if argument.arg in known | set(VOCABULARY + TYPES):
            _refuse(argument, "one name stands for one thing", f"the name {argument.arg} a second time")


def _check_node(node: ast.AST, known: set[str]) -> None:
    match node:
        case ast.Constant(value=value) if type(value) is int:
            return
        case ast.Constant(value=value):
            _refuse(node, "a formula holds whole numbers only", f"the {type(value).__name__} {value!r}"[:60])
        case ast.Name(id=name):
            if name not in known:
                wanted = "a name is an argument, a constant, an earlier result or imported"
                _refuse(node, wanted, f"the unknown name {name}")
        case ast.BinOp(op=op):
            if not isinstance(op, _OPERATORS):
                _refuse(node, "the operators are + - * // % & |", _word(op), _INSTEAD.get(type(op).__name__))
        case ast.UnaryOp(op=ast.USub()):
            return
        case ast.Compare(ops=[op]) if isinstance(op, _COMPARISONS):
            return
        case ast.Compare():
            _refuse(node, "a comparison has two sides; write all_of(a < b, b < c)", "a chained or unknown comparison")
        case ast.Call(func=ast.Name(id=name), keywords=[]) if name in VOCABULARY:
            return
        case ast.Call():
            _refuse(node, f"only {', '.join(VOCABULARY)} may be called, without keywords", "a call of something else")
        case ast.operator() | ast.unaryop() | ast.cmpop() | ast.expr_context():
            return
        case _:
            _refuse(node, "a formula is operators, comparisons and the vocabulary")


def _refuse(node: ast.AST, wanted: str, found: str = "", instead: tuple[str, str] | None = None) -> NoReturn:
    special = instead or _INSTEAD.get(type(node).__name__)
    if special:
        found, wanted = special
    raise FormulaLineRefused(line=getattr(node, "lineno", 1), found=found or _word(node), wanted=wanted)


def _word(node: ast.AST) -> str:
    return f"a {type(node).__name__}"


def _is_docstring(part: ast.stmt) -> bool:
    return isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant) and isinstance(part.value.value, str)


def _refuse_other_arguments(names: list[str], declared: list[str]) -> None:
    lacking, undeclared = set(declared) - set(names), set(names) - set(declared)
    if lacking or undeclared:
        raise FormulaArgumentsDiffer(
            lacking=", ".join(sorted(lacking)) or "nothing", undeclared=", ".join(sorted(undeclared)) or "nothing"
        )


def _result(tree: ast.Module, name: str, quantities: list[Quantity]) -> Whole:
    """The expression that the function builds when it is given the quantities."""
    tree.body = [part for part in tree.body if not isinstance(part, ast.ImportFrom)]
    reachable: dict[str, object] = {word: getattr(formula, word) for word in VOCABULARY + TYPES}
    reachable["__builtins__"] = {}
    try:
        exec(compile(tree, "formula.py", "exec"), reachable)
        function: Callable[..., object] = reachable[name]  # type: ignore[assignment]
        return whole(function(*quantities))
    except (TypeError, RecursionError) as error:
        raise FormulaFileUnreadable(reason=str(error)) from error
