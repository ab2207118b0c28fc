"""Printed sums: rounded terms that add up to the rounded total."""

from __future__ import annotations

from collections.abc import Sequence


def adding_up(terms: Sequence[float], total: float, digits: int) -> list[float]:
    """The terms, rounded so that they add up to the rounded total.

    Largest remainder: what is missing after rounding goes, one unit of the last digit at a time,
    to the terms that rounding changed most the other way. Every term stays within one unit of its
    value if the terms add up to the total.

    Args:
        digits: after the decimal point.
    """
    unit = 10**digits
    scaled = [term * unit for term in terms]
    whole = [round(x) for x in scaled]
    missing = round(total * unit) - sum(whole)
    step = 1 if missing > 0 else -1
    order = sorted(range(len(terms)), key=lambda k: step * (whole[k] - scaled[k]))
    for k in (order * (abs(missing) // len(order) + 1))[: abs(missing)]:
        whole[k] += step
    return [number / unit for number in whole]
