"""Sizes are polynomials: they calculate, and their text means what they are."""

from hypothesis import given
from hypothesis import strategies as st

from minigrad.compile.c.sizes import Size, count, product, size
from minigrad.compile.counts import Count

VALUES = {"T": 7, "T1": 4, "i": 3, "t": 2}
numbers = st.integers(-9, 9)
atoms = st.one_of(numbers, st.sampled_from(sorted(VALUES)))


def pairs(children):
    return st.tuples(st.sampled_from(["+", "-", "*"]), children, children)


formulas = st.recursive(atoms, pairs, max_leaves=8)


def calculated(formula, leaf):
    """A formula, with what ``leaf`` makes of its numbers and names."""
    if not isinstance(formula, tuple):
        return leaf(formula)
    sign, *sides = formula
    a, b = (calculated(side, leaf) for side in sides)
    return {"+": a.__add__, "-": a.__sub__, "*": a.__mul__}[sign](b)


def value(leaf):
    return VALUES.get(leaf, leaf)


@given(formulas, formulas)
def test_a_size_is_what_whole_numbers_give(formula, other):
    a, wanted = calculated(formula, size), calculated(formula, value)
    # C and Python agree on +, - and * of whole numbers, and on brackets.
    assert eval(str(a), {}, VALUES) == wanted
    assert eval(f"100 - {a.divisor}", {}, VALUES) == 100 - wanted
    b = calculated(other, size)
    assert eval(str(a - b), {}, VALUES) == wanted - calculated(other, value)
    assert a * b == b * a
    assert (a - b) + b == a
    assert hash((a - b) + b) == hash(a)


@given(formulas)
def test_a_size_is_a_number_just_where_it_has_no_name(formula):
    a = calculated(formula, size)
    assert (a.number is None) == any(name in str(a) for name in VALUES)
    if a.number is not None:
        assert a == a.number == calculated(formula, value)


@given(numbers, numbers)
def test_a_count_of_steps(a, b):
    found = count(Count(a, b, 1), ["T", "T1"])
    assert eval(str(found), {}, VALUES) == 4 * a + b
    assert count(5, ["T"]) == 5


@given(st.lists(atoms, max_size=4))
def test_a_product_of_sizes(shape):
    wanted = 1
    for n in shape:
        wanted *= value(n)
    assert eval(str(product([size(n) for n in shape])), {}, VALUES) == wanted


def test_what_can_be_written_on_both_sides():
    T = size("T")
    assert 2 + T * 3 == 3 * T + 2
    assert T != "T"
    assert T - T == 0
    assert (T - T).terms == Size({}).terms
