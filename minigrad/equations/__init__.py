"""Equations of a recurrence."""

from minigrad.equations.record import equations
from minigrad.equations.equations import Equations, Equation
