"""The calculator: arithmetic over the tree of an expression, of which each node is known. Nothing is ever evaluated by
Python itself, and nothing grows beyond what takes a moment."""

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping

from ragkit.errors import InvalidInput
from ragkit.tools import Tool, tool

Number = int | float

_MOST_CHARACTERS = 500
_MOST_DEPTH = 50
_MOST_BITS = 10_000
"""Of an integer, also on the way to a result: about 3,000 digits."""

_BINARY: Mapping[type[ast.operator], Callable[[Number, Number], Number]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_FUNCTIONS: Mapping[str, tuple[Callable[..., Number], int, int]] = {
    "abs": (abs, 1, 1),
    "round": (round, 1, 2),
    "min": (min, 1, 50),
    "max": (max, 1, 50),
    "sum": (lambda *numbers: sum(numbers), 1, 50),
    "mean": (lambda *numbers: sum(numbers) / len(numbers), 1, 50),
    "sqrt": (math.sqrt, 1, 1),
    "exp": (math.exp, 1, 1),
    "log": (math.log, 1, 2),
    "log2": (math.log2, 1, 1),
    "log10": (math.log10, 1, 1),
    "sin": (math.sin, 1, 1),
    "cos": (math.cos, 1, 1),
    "tan": (math.tan, 1, 1),
    "floor": (math.floor, 1, 1),
    "ceil": (math.ceil, 1, 1),
}
"""Each with the fewest and the most arguments that it takes."""
_CONSTANTS = {"pi": math.pi, "e": math.e}
_KNOWN = f"numbers, + - * / // % **, brackets, {', '.join(_CONSTANTS)}, {', '.join(_FUNCTIONS)}"


def calculate(expression: str) -> Number:
    """The value of an arithmetic expression such as `(3 + 4) * 2 ** 10`."""
    if len(expression) > _MOST_CHARACTERS:
        raise InvalidInput(f"The expression has {len(expression):,} characters.", f"At most {_MOST_CHARACTERS} may be.")
    try:
        tree = ast.parse(expression.strip(), mode="eval")
        value = _value(tree.body, 0)
    except (SyntaxError, ValueError, RecursionError, MemoryError, TypeError) as error:
        raise InvalidInput(f"{expression!r} cannot be calculated: {error}.", f"Known are {_KNOWN}.") from error
    except ArithmeticError as error:  # division by zero, overflow
        raise InvalidInput(f"{expression!r} has no value: {error}.", "Mend the expression.") from error
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidInput(f"{expression!r} is larger than any number here.", "Ask for something smaller.")
    return value


def _value(node: ast.expr, depth: int) -> Number:
    if depth > _MOST_DEPTH:
        raise ValueError("it is nested too deeply")
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return _small(number)
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _BINARY:
            a, b = _value(left, depth + 1), _value(right, depth + 1)
            if isinstance(sign, ast.Pow):
                return _power(a, b)
            return _small(_BINARY[type(sign)](a, b))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, depth + 1)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _value(operand, depth + 1)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS:
            function, fewest, most = _FUNCTIONS[name]
            if not fewest <= len(args) <= most:
                raise ValueError(f"{name} takes {fewest} to {most} numbers")
            numbers = [_value(one, depth + 1) for one in args]
            if name == "round" and len(numbers) == 2 and not (isinstance(numbers[1], int) and abs(numbers[1]) <= 300):
                raise ValueError("round takes a number of digits from -300 to 300")
            return _small(function(*numbers))
        case ast.Name(id=name) if name in _CONSTANTS:
            return _CONSTANTS[name]
        case ast.BinOp(op=ast.BitXor()):
            raise ValueError("^ is no power here, ** is")
        case _:
            raise ValueError(f"{ast.unparse(node)[:40]!r} is not known here")


def _power(base: Number, exponent: Number) -> Number:
    """Refused before it is tried: 9 ** 9 ** 9 would take for ever."""
    if isinstance(base, int) and isinstance(exponent, int) and exponent > 0:
        if base.bit_length() * exponent > _MOST_BITS:
            raise ValueError("a power of it is too large")
    elif isinstance(base, int) and base.bit_length() > 1000:
        raise ValueError("a power of it is too large")
    value = operator.pow(base, exponent)
    if isinstance(value, complex):
        raise ValueError("it has no real value")
    number: Number = value
    return number


def _small(number: Number) -> Number:
    if isinstance(number, int) and number.bit_length() > _MOST_BITS:
        raise ValueError("a number in it is too large")
    return number


def read(question: str) -> dict[str, str] | None:
    """The expression that a plain question holds; None where anything else stands in it."""
    said = _ASKS.sub("", question.strip().lower()).rstrip("?. =")
    said = re.sub(r"(?<=\d),(?=\d{3}\b)", "", said)
    for form, sign in _WORDED:
        said = form.sub(sign, said)
    if not _PLAIN.fullmatch(said) or not re.search(r"\d", said) or not re.search(r"\D", said.strip()):
        return None
    try:
        calculate(said)
    except InvalidInput:
        return None
    return {"expression": said}


_ASKS = re.compile(r"^(?:please\s+)?(?:what(?:'s|’s| is| are)|how much (?:is|are)|calculate|compute)\s+")
_NUMBER = r"(\d+(?:\.\d+)?)"
_WORDED = [
    (re.compile(form), sign)
    for form, sign in (
        (rf"{_NUMBER}\s*(?:%|percent|per cent)\s+of\s+", r"\1 / 100 * "),
        (rf"the square root of\s+{_NUMBER}", r"sqrt(\1)"),
        (r"\bto the power of\b", "**"),
        (r"\bplus\b", "+"),
        (r"\bminus\b|−", "-"),
        (r"\b(?:multiplied by|times)\b|×", "*"),
        (r"\bdivided by\b|÷", "/"),
    )
]
_PLAIN = re.compile(r"(?:[\d\s.()+*/%-]|sqrt)+")


calculator: Tool = tool(
    name="calculator",
    description="Calculates: arithmetic with numbers, percentages, roots, powers, logarithms.",
    keywords=("calculate", "plus", "minus", "times", "divided by", "square root", "percent of"),
    examples=(
        "What is 17 % of 2,340?", "12 * (3 + 4)", "What is the square root of 225?", "How much is 48 divided by 6?",
        "Add 3.5 and 12.25", "2 to the power of 10",
    ),
    seconds=2,
    read=read,
)(calculate)  # fmt: skip
