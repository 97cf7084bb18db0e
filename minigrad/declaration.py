"""What the declaration of an op says it takes, and whether its parts agree.

Vocabulary
    operand    what a gradient may flow into: one rule for each, in order
    attribute  what the forward function takes beyond its operands, by name

A declaration that cannot work is refused where it is made, not where it is first used.

>>> def scaled(x, by=2.0):
...     return x * by
>>> parameters(scaled, (lambda g, y, x, by=2.0: g * by,), False).keys()
dict_keys(['x', 'by'])
>>> check("scaled", scaled, (lambda g, y, x: 2 * g,), False)
Traceback (most recent call last):
ValueError: scaled: rule 0 lacks the attribute by, which the forward function takes: \
write lambda g, y, x, by=2.0: ...
"""

import inspect
from collections.abc import Callable
from inspect import Parameter, Signature
from typing import Any

Rules = tuple[Callable[..., Any] | None, ...]
PLACED = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
OPEN = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)


def parameters(
    forward: Callable[..., Any], rules: Rules, variadic: bool
) -> dict[str, Parameter]:
    """What the op takes. Functions written in C do not say: there the rules do."""
    rule = next((r for r in rules if r is not None), None)
    if inspect.isfunction(forward):
        known = inspect.signature(forward).parameters
        # An array to write into is for programs; no call of the op has one.
        return {n: p for n, p in known.items() if n != "out"}
    if rule is not None:
        taken = list(inspect.signature(rule).parameters.values())
        return {p.name: p for p in taken[3 if variadic else 2 :]}
    names = _letters(len(rules))
    return {n: Parameter(n, Parameter.POSITIONAL_OR_KEYWORD) for n in names}


def optional(parameters: dict[str, Parameter], operands: list[str]) -> int:
    """How many of the last operands have None as default."""
    count = 0
    for name in reversed(operands):
        if parameters[name].default is not None:
            break
        count += 1
    return count


def described(
    forward: Callable[..., Any], operands: tuple[str, ...], doc: str | None
) -> str | None:
    """The docstring of an op: of a NumPy function of elements, its shape and dtype too.

    >>> import numpy as np
    >>> described(np.add, ("a", "b"), "a + b.").splitlines()[-1]
    "Element by element: a and b are broadcast, the dtype is NumPy's."
    """
    if doc is None or not hasattr(forward, "nin"):  # which a ufunc has
        return doc or forward.__doc__
    shape = f"{' and '.join(operands)} are broadcast"
    if len(operands) == 1:
        shape = f"the shape is that of {operands[0]}"
    return f"{doc}\n\nElement by element: {shape}, the dtype is NumPy's."


def _letters(count: int) -> str:
    """What operands are called that nobody has named."""
    return "x" if count == 1 else "abcdefgh"[:count]


def check(name: str, forward: Callable[..., Any], rules: Rules, variadic: bool) -> None:
    """Raise TypeError or ValueError where forward function and rules do not agree."""
    if not callable(forward):
        raise TypeError(
            f"{name}: the forward function is {forward!r}; write mg.Op(np.tanh, rule) "
            "or a function of arrays of your own"
        )
    for i, rule in enumerate(rules):
        if rule is not None and not callable(rule):
            raise TypeError(
                f"{name}: rule {i} is {rule!r}; a rule is a function such as "
                "lambda g, y, x: g * y, or None where no gradient flows"
            )
    _check_count(name, forward, rules, variadic)
    taken = parameters(forward, rules, variadic)
    count = 1 if variadic else len(rules)
    operands = [n for n, p in taken.items() if p.kind not in OPEN][:count]
    operands += _letters(count)[len(operands) :]  # a rule may say less than it should
    places = [*(("i", "g", "y") if variadic else ("g", "y")), *operands]
    attributes = {n: p for n, p in taken.items() if n not in operands}
    for i, rule in enumerate(rules):
        wrong = rule and _wrong(rule, len(places), attributes)
        if wrong:
            extra = [
                f"{n}={None if p.default is p.empty else p.default!r}"
                for n, p in attributes.items()
                if p.kind not in OPEN
            ]
            wanted = ", ".join([*places, *extra])
            raise ValueError(f"{name}: rule {i} {wrong}: write lambda {wanted}: ...")


def _check_count(
    name: str, forward: Callable[..., Any], rules: Rules, variadic: bool
) -> None:
    if variadic:
        if len(rules) != 1:
            raise ValueError(
                f"{name}: an op over a list of arrays has one rule, (i, g, y, xs), for "
                f"all of them; got {len(rules)}"
            )
        return
    most = least = getattr(forward, "nin", None)  # of a ufunc
    if inspect.isfunction(forward):
        taken = inspect.signature(forward).parameters.values()
        least = 1
        open_end = any(p.kind is p.VAR_POSITIONAL for p in taken)
        placed = (p.kind in PLACED and p.name != "out" for p in taken)
        most = None if open_end else sum(placed)
    if not rules or (least is not None and len(rules) < least):
        raise ValueError(
            f"{name}: {len(rules)} rules for {least or 'its'} operands; write one for "
            "each operand, None where no gradient flows"
        )
    if most is not None and len(rules) > most:
        raise ValueError(
            f"{name}: {len(rules)} rules, but the forward function takes {most} "
            "operands; write one rule for each"
        )


def _wrong(
    rule: Callable[..., Any], count: int, attributes: dict[str, Parameter]
) -> str | None:
    """What a rule of ``count`` operands, its cotangent and value among them, lacks."""
    try:
        taken = list(inspect.signature(rule).parameters.values())
    except ValueError:
        return None  # written in C: it does not say
    kinds = {p.kind for p in taken}
    if Parameter.VAR_POSITIONAL in kinds:
        return None
    placed = [p for p in taken if p.kind in PLACED]
    given = {p.name: p for p in taken if p not in placed[:count] and p.kind not in OPEN}
    unknown = [n for n in given if n not in attributes]
    if len(placed) < count or any(given[n].default is Parameter.empty for n in unknown):
        return f"takes {Signature(taken)}"
    if unknown:
        return f"takes {unknown[0]}, which the forward function does not"
    for n, p in attributes.items():
        if p.kind in OPEN:
            continue
        if n not in given:
            if Parameter.VAR_KEYWORD not in kinds:
                return f"lacks the attribute {n}, which the forward function takes"
        elif p.default is p.empty and given[n].default is p.empty:
            return (
                f"takes {n} without a default; an operand has a rule of its own (None "
                "where no gradient flows), an attribute has a default in the rule"
            )
        elif p.default is p.empty or _same(p.default, given[n].default):
            continue
        elif given[n].default is p.empty:
            return f"has no default for {n}"
        else:
            # A rule is told what a call says: where that is nothing, defaults count.
            return (
                f"has the default {n}={given[n].default!r}, the forward function "
                f"{n}={p.default!r}"
            )
    return None


def _same(a: Any, b: Any) -> bool:
    if a is b:
        return True
    try:
        return bool(a == b)
    except (TypeError, ValueError):  # arrays
        return False
