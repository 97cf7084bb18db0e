"""Checks of gradients, for minigrad's own ops and for yours: one line tests an op.

``check_op`` draws samples and runs everything on an op; ``check_grad`` compares any
function of Tensors with differences, ``check_contract`` what else a rule promises,
``check_jvp_vjp`` two products that must agree, ``check_against`` two programs,
``check_module`` a model with its loss, ``check_recurrent`` a cell. ``pytest_cases``
makes a test per op and check of a module, ``minigrad check my_ops.py`` a table.
``minigrad.testing.strategies`` (it needs hypothesis) draws shapes, indices, layouts.

>>> import numpy as np
>>> import minigrad as mg
>>> cube = mg.Op(lambda x: x**3, lambda g, y, x: g * 3 * x**2, name="doc_cubing")
>>> check_op(cube)
>>> wrong = mg.Op(lambda x: x**3, lambda g, y, x: g * 3 * x, name="doc_wrong")
>>> check_op(wrong)
Traceback (most recent call last):
minigrad.testing.report.GradientError: op doc_wrong, case 0 ((3,)), check 'gradient'...
"""

from minigrad.testing.contract import check_contract, layouts
from minigrad.testing.discover import Report, check_file, pytest_cases
from minigrad.testing.gradient import check_grad
from minigrad.testing.modules import check_module, check_recurrent
from minigrad.testing.numeric import numerical_grad, numerical_jacobian
from minigrad.testing.products import check_against, check_jvp_vjp
from minigrad.testing.report import GradientError
from minigrad.testing.row import (
    CHECKS,
    Case,
    Convention,
    Row,
    at,
    case,
    check_op,
    default_cases,
    distinct,
    nonzero,
)

__all__ = [
    "CHECKS",
    "Case",
    "Convention",
    "GradientError",
    "Report",
    "Row",
    "at",
    "case",
    "check_against",
    "check_contract",
    "check_file",
    "check_grad",
    "check_jvp_vjp",
    "check_module",
    "check_op",
    "check_recurrent",
    "default_cases",
    "distinct",
    "layouts",
    "nonzero",
    "numerical_grad",
    "numerical_jacobian",
    "pytest_cases",
]
