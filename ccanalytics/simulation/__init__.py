"""The event simulator, and worlds whose truth is known: whole sample centres and small panels."""

from __future__ import annotations

from ccanalytics.simulation.sample import Centre, CentreParameters, write_centre

__all__ = ["Centre", "CentreParameters", "write_centre"]
