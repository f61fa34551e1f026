"""References with 50 digits and other formulas than the package's, for the tests beside this file.

Everything here sums states one by one, from the recursion of the birth–death chain; the package
evaluates incomplete gamma functions. Inputs are taken as the exact values of their floats.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace

import mpmath as mp
import pytest

DIGITS = 60


def full_size() -> bool:
    """Whether the whole grids are to run instead of the slice."""
    return os.environ.get("CCANALYTICS_FULL") == "1"


def erlang_b(load, servers):
    """1/B(k) = 1 + (k/R)/B(k−1), upwards from B(0) = 1 (real n: from its fraction)."""
    with mp.workdps(DIGITS):
        load = mp.mpf(load)
        whole = int(mp.floor(servers))
        rest = mp.mpf(servers) - whole
        inverse = mp.mpf(1)
        if rest:
            inverse = load * mp.quad(
                lambda x: mp.exp(-load * x) * (1 + x) ** rest, [0, 1 / load, 8 / load, mp.inf]
            )
        for k in range(1, whole + 1):
            inverse = 1 + (k + rest) / load * inverse
        return 1 / inverse


def erlang_c(load, servers):
    """C = nB / (n − R(1 − B))."""
    with mp.workdps(DIGITS):
        b = erlang_b(load, servers)
        return servers * b / (servers - load * (1 - b))


def erlang_c_waits(calls, per, aht, agents, t):
    """Wait probability, share later than t, mean wait."""
    with mp.workdps(DIGITS):
        load = mp.mpf(calls) * aht / per
        c = erlang_c(load, agents)
        rate = (agents - load) / mp.mpf(aht)
        return c, c * mp.exp(-rate * t), c / rate


def chain(calls, per, aht, agents, patience=None, lines=None, times=(), digits=DIGITS):
    """Every measure of M/M/n/N+M, state by state; endless lines where the weights have died out.

    A caller who finds k waiting is served after the sum of k + 1 exponential times with rates
    nμ + jθ; the chance that this exceeds t is a negative binomial (or Poisson) sum.
    """
    times = tuple(dict.fromkeys(times))
    with mp.workdps(digits):
        lam, mu = mp.mpf(calls) / per, 1 / mp.mpf(aht)
        theta = 1 / mp.mpf(patience) if patience is not None else mp.mpf(0)
        n = agents
        weight, busy, below = mp.mpf(1), mp.mpf(0), mp.mpf(0)
        for j in range(n, 0, -1):  # states n − 1 … 0 in units of state n
            weight *= j * mu / lam
            below += weight
            if weight < below * mp.mpf(10) ** (-digits) and j * mu < lam:
                break
        total = below
        length = mp.mpf(0)
        kept_sum = mp.mpf(0)
        wait_kept = mp.mpf(0)
        blocked = mp.mpf(0)
        late = {t: mp.mpf(0) for t in times}
        late_kept = {t: mp.mpf(0) for t in times}
        tails = {}
        for t in times:
            t_ = mp.mpf(t)
            if theta:
                a, q = n * mu / theta, mp.exp(-theta * t_)
                tails[t] = [q**a, q**a, q ** (a + 1), q ** (a + 1), 1 - q]
            else:
                z = n * mu * t_
                tails[t] = [mp.exp(-z), mp.exp(-z), None, None, z]
        k, weight = 0, mp.mpf(1)
        mean_to_answer = mp.mpf(0)  # Σ 1/(nμ + (j+1)θ), the kept caller's mean wait
        while True:
            total += weight
            length += k * weight
            if lines is not None and k == lines - n:
                blocked = weight
                break
            busy += weight
            stay = n * mu / (n * mu + (k + 1) * theta) if n else mp.mpf(0)
            kept_sum += weight * stay
            if n:
                mean_to_answer += 1 / (n * mu + (k + 1) * theta)
                wait_kept += weight * stay * mean_to_answer
            for t in times:
                term, cdf, term_k, cdf_k, z = tails[t]
                late[t] += weight * cdf
                late_kept[t] += weight * stay * (cdf_k if theta else cdf)
                if theta:
                    a = n * mu / theta
                    term *= (a + k) / (k + 1) * z
                    term_k *= (a + 1 + k) / (k + 1) * z
                    tails[t] = [term, cdf + term, term_k, cdf_k + term_k, z]
                else:
                    term *= z / (k + 1)
                    tails[t] = [term, cdf + term, None, None, z]
            k += 1
            factor = lam / (n * mu + k * theta)
            weight *= factor
            # The terms of every sum fall at least by this factor from here on, times at most 1 for
            # the chances and 1 + 1/k for the lengths.
            least = min([busy, *(max(late_kept[t], mp.mpf(10) ** -320) for t in times)])
            small = mp.mpf(10) ** (-digits) * least
            if lines is None and factor < 1 and weight * k / (1 - factor) < small:
                break
        entered = total - blocked
        answered = (below + kept_sum) / total
        abandoned = theta * length / (lam * total)
        return SimpleNamespace(
            wait_probability=busy / entered,
            blocking=blocked / total,
            abandonment=abandoned,
            answered=answered,
            mean_wait=length / (lam * entered),
            asa=wait_kept / (below + kept_sum) if n else None,
            queue_length=length / total,
            occupancy=lam * answered / (n * mu) if n else None,
            answered_late={t: late_kept[t] / total for t in times},
            answered_within={t: (below + kept_sum - late_kept[t]) / total for t in times},
            virtual_late={t: late[t] / entered for t in times},
            virtual_within={t: 1 - late[t] / entered for t in times},
            abandoned_within={
                t: abandoned
                - ((mp.exp(-theta * t) * late[t] - late_kept[t]) / total if theta else 0)
                for t in times
            },
        )


def error(computed, exact):
    """Relative error; 0 for exact zeros and below the smallest float."""
    exact = mp.mpf(exact)
    if abs(exact) < mp.mpf(10) ** -300:
        return 0.0 if abs(computed) < 1e-290 else 1.0
    return float(abs(mp.mpf(computed) - exact) / abs(exact))


def allowed(function, *arguments):
    """1e-12, or 4 units in the last place times the condition number where that is larger."""
    with mp.workdps(DIGITS):
        base = function(*arguments)
        if not base:
            return 1e-12
        nudge = mp.mpf(2) ** -60
        condition = mp.mpf(0)
        for i, value in enumerate(arguments):
            moved = list(arguments)
            moved[i] = mp.mpf(value) * (1 + nudge)
            condition += abs((function(*moved) - base) / base) / nudge
        return max(1e-12, 4 * 2.0**-52 * float(condition))


@pytest.fixture(scope="session")
def exact():
    """The references above."""
    return SimpleNamespace(
        erlang_b=erlang_b,
        erlang_c=erlang_c,
        erlang_c_waits=erlang_c_waits,
        chain=chain,
        error=error,
        allowed=allowed,
    )


@pytest.fixture(scope="session")
def full():
    """Whether the full-size grids run (CCANALYTICS_FULL=1)."""
    return full_size()


@pytest.fixture(scope="session")
def oracles():
    """Worked numbers, by what they are about."""
    path = Path(__file__).parents[1] / "reference" / "oracles.json"
    cases: dict[str, list] = {}
    for case in json.loads(path.read_text(encoding="utf-8")):
        cases.setdefault(case["id"], []).append(case)
    return cases
