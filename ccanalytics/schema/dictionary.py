"""The data dictionary in words."""

from __future__ import annotations

from ccanalytics.schema.tables import OUTCOMES, TABLES

__all__ = ["dictionary"]


def dictionary() -> str:
    """The data dictionary in Markdown, as ``data/README.md`` prints it."""
    kinds = {
        "text": "text",
        "timestamp": "timestamp, UTC",
        "date": "date, local",
        "seconds": "seconds",
        "number": "number",
        "whole": "whole number",
        "flag": "true or false",
    }
    parts = []
    for table in TABLES.values():
        parts.append(
            f"### {table.name}\n\nOne row is {table.row}. Key: {', '.join(table.key)}.\n\n"
            "| column | kind | meaning |\n|---|---|---|"
        )
        for column in table.columns:
            values = f": {', '.join(column.values)}" if column.values else ""
            needed = ", required" if column.required else ""
            if column.person:
                needed += (
                    ", a person" if column.person in ("customer", "agent") else ", may be a person"
                )
            parts[-1] += (
                f"\n| {column.name} | {kinds[column.kind]}{needed} | {column.meaning}{values} |"
            )
        if table.name == "calls":
            meanings = (f"- `{name}`: {meaning}" for name, meaning in OUTCOMES.items())
            parts.append("What the outcomes mean:\n\n" + "\n".join(meanings))
    return "\n\n".join(parts) + "\n"
