r"""The two sums from which the whole Erlang family is made, to machine precision at any size.

For real ``a`` ≥ 0 and ``x`` > 0, with the Poisson weight p(a, x) = e⁻ˣ xᵃ / Γ(a + 1):

* below(a, x) = 1 + a/x + a(a−1)/x² + … = eˣ x⁻ᵃ Γ(a+1, x): the states up to *a*, counted in units
  of state *a*; it is 1 / Erlang B, for real *a* by its continuation;
* above(a, x) = x/(a+1) + x²/((a+1)(a+2)) + …: the states beyond *a* when each leaves one by one;
* below + above = 1/p.

With R erlangs, n agents, x = λ/θ and a = nμ/θ, Erlang A in units of "all busy, nobody waits" is
below(n, R) + above(a, x). Nothing here subtracts numbers that nearly agree.

Close to a = x the incomplete gamma function is taken from Temme's uniform expansion (DLMF 8.12),
whose coefficients are computed exactly once; elsewhere a continued fraction converges in a few
dozen steps whatever the size, so that the work does not grow with the load.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

__all__ = [
    "LEAST",
    "Sums",
    "above",
    "below",
    "deviance",
    "lost",
    "poisson",
    "served_share",
    "small_above",
    "states_below",
    "stirling",
    "sums",
]

Array = NDArray[np.float64]

LEAST = 1e-300  # stands for "no load" where a formula divides by it
_UNIFORM_FROM = 40.0  # the uniform expansion is used for a from here on …
_UNIFORM_Z = 4.5  # … and where the normal deviate is at most this
_SMALL = 3.0  # the power series is used for x up to here
# Steps after which the continued fractions and the series have converged to 1e-16.
_STEPS_FAR, _STEPS_SMALL, _STEPS_SERIES = 32, 56, 30
_FEW = 200  # elements up to which the number of numpy calls decides the time
_CHUNK = 4096  # rows of powers that stay in the processor's cache


def deviance(a: Array, x: Array) -> Array:
    """X − a − a·ln(x/a), without cancellation near a = x (Loader's saddle-point deviance)."""
    d = x - a
    total = x + a
    with np.errstate(invalid="ignore"):  # 0/0 where both are 0
        v = d / total
    near = np.abs(v) < 0.25
    if near.all():
        return _deviance_near(a, d, v)
    with np.errstate(divide="ignore", invalid="ignore"):
        result = np.where(a > 0, d - a * np.log(x / np.where(a > 0, a, 1.0)), x)
    if near.any():
        result[near] = _deviance_near(a[near], d[near], v[near])
    return result


_ATANH = tuple(1 / k for k in range(29, 1, -2))


def _deviance_near(a: Array, d: Array, v: Array) -> Array:
    w = v * v
    return v * (d - 2 * a * w * _polynomial(_ATANH, w))


def _polynomial(coefficients: tuple[float, ...], x: Array) -> Array:
    """Value at ``x``, the constant last."""
    if x.size < _FEW:  # one call of numpy instead of one for each term
        powers = x[:, None] ** np.arange(len(coefficients) - 1, -1, -1)
        value: Array = np.einsum("ij,j->i", powers, np.array(coefficients))
        return value
    value = np.full_like(x, coefficients[0])
    for c in coefficients[1:]:
        value *= x
        value += c
    return value


_STIRLING = (1 / 156, -691 / 360360, 1 / 1188, -1 / 1680, 1 / 1260, -1 / 360, 1 / 12)


def stirling(a: Array) -> Array:
    """Log of Γ(a+1) / (√(2πa) (a/e)ᵃ), for a ≥ 10."""
    inverse = 1.0 / a
    return inverse * _polynomial(_STIRLING, inverse * inverse)


def poisson(a: Array, x: Array) -> Array:
    """E⁻ˣ xᵃ / Γ(a + 1) for real a, full relative precision down to the smallest numbers."""
    large = a >= 10
    if large.all():
        return _poisson_large(a, x)
    result = np.empty_like(x)
    result[large] = _poisson_large(a[large], x[large])
    few = ~large
    b, y = a[few], x[few]
    result[few] = np.exp(special.xlogy(b, y) - y - special.gammaln(b + 1))
    return result


def _poisson_large(a: Array, x: Array) -> Array:
    return np.exp(-deviance(a, x) - stirling(a)) / np.sqrt(2 * np.pi * a)


@cache
def _temme() -> tuple[tuple[float, ...], ...]:
    """Coefficients of a⁻ᵏ ηⁿ in Temme's expansion, by their recursion in fractions.

    One row for each k, the highest k first, the highest n first in each. Those that cannot reach
    1e-17 where the expansion is used are left out.
    """
    terms, orders = 30, 9
    alpha = [Fraction(0), Fraction(1)]
    size = terms + 2 * orders + 3
    for n in range(2, size + 1):
        inner = sum((j * alpha[j] * alpha[n - j + 1] for j in range(2, n)), Fraction(0))
        alpha.append((alpha[n - 1] - inner) / (n + 1))
    # Γ*(a) = Σ gamma_k a^-k follows from the same numbers.
    stirling = [Fraction(1)]
    odd = 1
    for k in range(1, orders + 1):
        odd *= 2 * k + 1
        stirling.append(odd * alpha[2 * k + 1])
    row = [Fraction(-1, 3)] + [(n + 2) * alpha[n + 2] for n in range(1, size - 1)]
    first = row
    table = [row[:terms]]
    for k in range(1, orders + 1):
        row = [
            (n + 2) * row[n + 2] + (-1) ** k * stirling[k] * first[n] for n in range(len(row) - 2)
        ]
        table.append(row[:terms])
    widest = _UNIFORM_Z / _UNIFORM_FROM**0.5
    kept: list[tuple[float, ...]] = []
    for k, line in enumerate(table):
        reach = [abs(float(c)) * widest**n / _UNIFORM_FROM**k for n, c in enumerate(line)]
        last = max((n for n, size in enumerate(reach) if size > 1e-17), default=-1)
        if last >= 0:
            kept.append(tuple(float(c) for c in line[last::-1]))
    return tuple(reversed(kept))


def lost(load: Array, servers: Array) -> Array:
    """Erlang B; ``load`` may be 0."""
    return 1 / below(servers, np.maximum(load, LEAST))


def served_share(servers: Array, load: Array) -> Array:
    """1 − Erlang B, however near that is to 1; ``load`` above 0."""
    states = below(servers, load)
    with np.errstate(invalid="ignore"):
        return np.where(np.isinf(states), 1.0, states_below(servers, load) / states)


def small_above(a: Array, x: Array) -> Array:
    """P·above, the chance that a Poisson number with mean ``x`` is above ``a``; for x up to a."""
    p = poisson(a, x)
    with np.errstate(invalid="ignore"):
        return np.where(p > 0, p * above(a, x), 0.0)


def states_below(agents: Array, load: Array) -> Array:
    """Weight of the states with a free agent, below(n, R) − 1, without the subtraction."""
    several = agents >= 1
    first = below(np.where(several, agents - 1, agents), load)
    with np.errstate(over="ignore"):
        states = np.where(several, first * (agents / load), first - 1)
    return np.where(agents > 0, states, 0.0)


class Sums(NamedTuple):
    """What :func:`sums` returns: the two sums, and Σ k·(k-th term of above)/x."""

    below: Array
    above: Array
    leaving: Array


def below(a: Array, x: Array) -> Array:
    """1 + a/x + a(a−1)/x² + …, the reciprocal of Erlang B; ``inf`` where that is below 1e-308."""
    return _sums(a, x, want="below").below


def above(a: Array, x: Array) -> Array:
    """x/(a+1) + x²/((a+1)(a+2)) + …; ``inf`` beyond 1e308."""
    return _sums(a, x, want="above").above


def sums(a: Array, x: Array) -> Sums:
    """Both sums, and ``leaving`` = 1 − above·(a − x)/x, the rate of leaving the queue over x."""
    return _sums(a, x, want="all")


def _sums(a: Array, x: Array, want: str) -> Sums:
    d = x - a
    uniform = (a >= _UNIFORM_FROM) & (np.abs(d) <= _UNIFORM_Z * np.sqrt(a))
    if uniform.all():
        return _uniform(a, x, want)
    series = x <= _SMALL
    zones = (
        (uniform, _uniform),
        (series, _series),
        (~uniform & ~series & (x <= a), _fraction_above),
        (~uniform & ~series & (x > a), _fraction_below),
    )
    result = Sums(*(np.full_like(x, np.nan) for _ in range(3)))
    for zone, method in zones:
        if zone.any():
            part = method(a[zone], x[zone], want)
            for whole, values in zip(result, part, strict=True):
                whole[zone] = values
    return result


_NONE = np.array(np.nan)


def _uniform(a: Array, x: Array, want: str) -> Sums:
    """Temme's expansion: an error function and a double power series in η and 1/a."""
    dev = deviance(a, x)
    z = np.copysign(np.sqrt(dev), x - a)  # η√(a/2)
    inverse = 1.0 / a
    root = np.sqrt(a)
    series = _double_series(z * np.sqrt(2 * inverse), inverse)
    factor = np.exp(stirling(a))
    scale = np.sqrt(np.pi / 2) * root
    low = high = leaving = _NONE
    if want != "above":
        low = 1 + factor * (scale * special.erfcx(z) + series)
    if want != "below":
        high = factor * (scale * special.erfcx(-z) - series) - 1
    if want == "all":
        leaving = 1 - high * ((a - x) / x)
    return Sums(low, high, leaving)


def _double_series(eta: Array, inverse: Array) -> Array:
    """Σ d[n, k] ηⁿ a⁻ᵏ by Horner's rule in both, a piece at a time that stays in the cache."""
    result = np.empty_like(eta)
    for start in range(0, eta.size, _CHUNK):
        part = slice(start, start + _CHUNK)
        e, i = eta[part], inverse[part]
        total = np.zeros_like(e)
        for row in _temme():
            total *= i
            total += _polynomial(row, e)
        result[part] = total
    return result


def _series(a: Array, x: Array, want: str) -> Sums:
    """The sum itself, for small x."""
    following = np.zeros_like(x)  # above(a + 1, x)
    for k in range(_STEPS_SERIES, 1, -1):
        following = (1 + following) * (x / (a + k))
    high = (1 + following) * (x / (a + 1))
    low = leaving = _NONE
    if want != "above":
        with np.errstate(divide="ignore", over="ignore"):
            low = 1 / poisson(a, x) - high
    if want == "all":
        leaving = (1 + x + (x - a) * following) / (a + 1)
    return Sums(low, high, leaving)


def _fraction_above(a: Array, x: Array, want: str) -> Sums:
    """For x below a: above = x/(a+1−x + x/(a+2−x + 2x/(a+3−x + …))), all terms positive."""
    d = a - x
    steps = _STEPS_SMALL if a.min() < _UNIFORM_FROM else _STEPS_FAR
    t = d + (steps + 1)
    for k in range(steps, 1, -1):
        t = (d + k) + (k * x) / t
    rest = x / t
    high = x / (d + 1 + rest)
    low = leaving = _NONE
    if want != "above":
        with np.errstate(divide="ignore", over="ignore"):
            low = 1 / poisson(a, x) - high
    if want == "all":
        leaving = (1 + rest) * high / x
    return Sums(low, high, leaving)


def _fraction_below(a: Array, x: Array, want: str) -> Sums:
    """For x above a: Legendre's continued fraction of the incomplete gamma function."""
    d = x - a
    steps = _STEPS_SMALL if a.min() < _UNIFORM_FROM else _STEPS_FAR
    t = d + 2 * steps
    for k in range(steps, 0, -1):
        t = (d + 2 * (k - 1)) + k * (a + 1 - k) / t
    low = x / t
    high = leaving = _NONE
    if want != "below":
        with np.errstate(divide="ignore", over="ignore"):
            high = 1 / poisson(a, x) - low
    if want == "all":
        leaving = 1 + high * (d / x)
    return Sums(low, high, leaving)
