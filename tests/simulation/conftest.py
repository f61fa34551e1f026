from datetime import UTC, datetime, timedelta

import polars as pl
import pytest


@pytest.fixture
def demand():
    """Make a demand frame: calls and handle times by interval, from Monday 9:00 UTC on."""

    def make(calls, aht_s, interval_s=1800.0, **keys):
        calls = calls if isinstance(calls, (list, tuple)) else [calls]
        aht = aht_s if isinstance(aht_s, (list, tuple)) else [aht_s] * len(calls)
        start = datetime(2025, 3, 3, 9, tzinfo=UTC)
        return pl.DataFrame(
            {
                "interval_start": [
                    start + timedelta(seconds=interval_s * row) for row in range(len(calls))
                ],
                "interval_s": [float(interval_s)] * len(calls),
                "calls": [float(value) for value in calls],
                "aht_s": [float(value) for value in aht],
                **{name: [value] * len(calls) for name, value in keys.items()},
            },
            schema_overrides={"interval_start": pl.Datetime("us", "UTC")},
        )

    return make
