"""Sample centres loaded as a user would load them: a tool by tenure, ten seconds, and a course.

Truth is what each cause did to the log of handle time over the calls on which it acts. The
ordinary run has the small worlds of ``test_effect``; ``CCANALYTICS_FULL=1`` writes centres a
twentieth of the size over 78 weeks, and prints what was found (``-s``).
"""

import json
import os

import numpy as np
import pytest

from ccanalytics import CallLog, handletime
from ccanalytics.simulation import write_centre

FULL = os.environ.get("CCANALYTICS_FULL") == "1"
BANDS = {
    "under 13 weeks": "where_it_acts_under_90_days",
    "13 to 51 weeks": "where_it_acts_90_to_364_days",
    "52 weeks or more": "where_it_acts_a_year_or_more",
}


@pytest.mark.skipif(not FULL, reason="eight centres take some minutes (CCANALYTICS_FULL=1)")
def test_centres_hold_what_was_planted(tmp_path):
    held = {}
    for seed in range(1, 9):
        folder = tmp_path / f"centre{seed}"
        write_centre(folder, weeks=78, scale=0.05, seed=seed)
        log = CallLog(tmp_path / f"{seed}.duckdb")
        log.load(folder, "ccanalytics")
        truth = json.loads((folder / "truth.json").read_text("utf-8"))["people"]["effects"]
        by_band = truth["knowledge_base"]
        panel, rollouts = log.agent_panel(where={"queue": "hotline"}), log.table("rollouts")
        tool = handletime.effect(panel, rollouts, "knowledge_base")
        rows = [
            ("tool", by_band["where_it_acts"]["handle_log"], tool.relative.low,
             tool.relative.high),
            *(
                (row["group"], by_band.get(BANDS[row["group"]], {}).get("handle_log"),
                 row["relative_low"], row["relative_high"])
                for row in tool.by_group.iter_rows(named=True)
            ),
        ]  # fmt: skip
        course = handletime.effect(panel, rollouts, "shorter calls").relative
        rows.append(
            ("course", truth["course"]["where_it_acts"]["handle_log"], course.low, course.high)
        )
        assist = handletime.effect(log.assisted_calls(), rollouts, "sms_assist_during")
        saved = assist.per_assisted_s
        for name, true, low, high in rows:
            if true is not None:
                held.setdefault(name, []).append(bool(np.log1p(low) < true < np.log1p(high)))
        held.setdefault("ten seconds", []).append(saved.low < -10 < saved.high)
        print(seed, saved.format("{:.1f}"), *(f"{n} {h[-1]}" for n, h in held.items()), flush=True)
        for each in tmp_path.rglob("*"):
            if each.is_file():
                each.unlink()
    for name, each in held.items():
        assert np.mean(each) >= 0.6, name
    # All of them together: at least 88 in a hundred of some fifty intervals.
    together = [one for each in held.values() for one in each]
    assert np.mean(together) >= 0.88
