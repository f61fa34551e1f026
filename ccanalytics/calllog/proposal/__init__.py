"""How an unknown file gets its mapping: look at it, propose, give reasons, ask what is open."""

from __future__ import annotations

from ccanalytics.calllog.proposal.propose import Proposal, propose

__all__ = ["Proposal", "propose"]
