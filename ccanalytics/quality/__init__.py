"""Operations, day by day: what deserves attention, with its evidence; and what training gave."""

from ccanalytics.quality.bulletin import Bulletin, bulletin
from ccanalytics.quality.coached import Coaching, coaching
from ccanalytics.quality.course_worth import CourseWorth, course_worth
from ccanalytics.quality.score_pairs import courses
from ccanalytics.quality.trained import Training, training

__all__ = [
    "Bulletin",
    "Coaching",
    "CourseWorth",
    "Training",
    "bulletin",
    "coaching",
    "course_worth",
    "courses",
    "training",
]
