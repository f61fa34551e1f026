"""Operations, day by day: what deserves attention, with its evidence."""

from ccanalytics.quality.bulletin import Bulletin, bulletin

__all__ = ["Bulletin", "bulletin"]
