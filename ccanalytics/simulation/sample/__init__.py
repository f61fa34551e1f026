"""Worlds whose truth is known: the sample centre, written as its exports would be."""

from __future__ import annotations

from ccanalytics.simulation.sample.centre import Centre, write_centre
from ccanalytics.simulation.sample.parameters import CentreParameters

__all__ = ["Centre", "CentreParameters", "write_centre"]
