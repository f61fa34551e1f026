"""What the numbers of the truth on the people's side mean, as ``truth.json`` explains them."""

from __future__ import annotations

__all__ = ["PEOPLE_MEANINGS"]

PEOPLE_MEANINGS: dict[str, str] = {
    "worlds": "the log's own answered calls, each with the agent who took it, as they would have "
    "been with all causes (log), with one removed (without_…), and with none: typical tenured "
    "agents, no tools, no courses. Staff, queue and calls are held fixed; see queue for what the "
    "queue makes of it",
    "effects": "the log less the world without the cause (joint: less the world with none), over "
    "all calls, by the agent's tenure on the day, and over the calls on which the cause acts; "
    "negative: the cause shortens calls or prevents errors",
    "handle_s": "seconds of handle time per answered call, in expectation over the calls' own "
    "lengths and before SMS-assist during the call; …_counted with the lengths that came about",
    "handle_share": "the same over the handle time without the cause; handle_log the mean "
    "difference of its logarithm",
    "…_error": "standard error of the number beside it, calls taken as independent draws; null "
    "where it is over 2% of its size, for reasons and with a bound that unknown gives",
    "pace": "handle time over that of a typical tenured agent without tools, mean over calls",
    "erlangs": "answered calls × handle_s over the span",
    "seats_at_peak": "by the plan's own rule, at that handle time, without breaks; seat_hours over "
    "the span",
    "wrong_share": "share of a call's checked items that are wrong, in expectation",
    "transfer_share": "share of answered calls sent to the second line, in expectation",
    "agents": "lasting_pace: what stays when newness is over; mean_pace: over the agent's own "
    "calls, learning, tools and courses included; satisfaction_sd: shift of latent satisfaction",
    "reviews": "wrong: truly; marked: by reviewers, who miss errors and see some that are none; "
    "…_expected: had every call been reviewed by each reviewer alike",
    "surveys": "mean_score: had every customer answered; …_expected_of_responders: of those who "
    "would; response_share_by_score: what weighting needs and no log holds",
    "courses": "gain_points: what a course truly gave those who took it, over those who did not, "
    "at each test; luck_in_pre_test: points that luck gave or took, which regress",
    "queue": "the same as offered, for the causes of people: requests and staff held fixed, only "
    "how long the staff take differs; each world's effect is the log less that world",
}
