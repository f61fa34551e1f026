"""Commands that make a centre to look at: sample and demo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ccanalytics.cli.terminal import Json, app, bar, emit, say
from ccanalytics.vocabulary import counted

__all__ = ["demo", "sample"]


@app.command()
def sample(
    folder: Annotated[
        Path,
        typer.Argument(
            help="Where to write: new or empty, or an earlier sample, which is replaced."
        ),
    ],
    weeks: Annotated[int, typer.Option(help="How many weeks.")] = 78,
    scale: Annotated[float, typer.Option(help="Size; 1 is a centre of 350 agents.")] = 0.1,
    seed: Annotated[int, typer.Option(help="Same seed, same centre.")] = 1,
    start: Annotated[str, typer.Option(help="First day, YYYY-MM-DD.")] = "2024-01-01",
    defects: Annotated[
        bool, typer.Option("--defects", help="Plant one defect of each kind that real logs have.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write the exports of a made-up hotline whose truth is known.

    Example: ccanalytics sample centre/ --weeks 8 --scale 0.05 --seed 7
    """
    from ccanalytics.simulation import write_centre

    earlier = (folder / "truth.json").is_file()
    with bar("writing") as progress:
        centre = write_centre(
            folder,
            weeks=weeks,
            scale=scale,
            seed=seed,
            start=start,
            progress=progress,
            defects=defects,
        )
    if as_json:
        emit(
            {
                "folder": str(folder),
                "replaced": earlier,
                "rows": dict(centre.rows),
                "inputs": dict(centre.inputs),
                "defects": centre.truth["defects"],
            }
        )
        return
    if earlier:
        say(f"The earlier sample in {folder} was replaced.")
    say(centre.summary())
    if defects:
        say(
            f"{counted(len(centre.truth['defects']), 'kind')} of defects were planted; "
            f"{folder / 'truth.json'} lists each."
        )


@app.command()
def demo(
    data: Annotated[Path, typer.Option(help="Where the sample centre and its log go.")] = Path(
        "data/demo"
    ),
    reports: Annotated[Path, typer.Option(help="Where the reports go.")] = Path("reports"),
    weeks: Annotated[int, typer.Option(help="How many weeks.")] = 52,
    scale: Annotated[float, typer.Option(help="Size; 1 is a centre of 350 agents.")] = 0.1,
    seed: Annotated[int, typer.Option(help="Same seed, same centre.")] = 1,
) -> None:
    """Make a sample centre, load it, and run every notebook on it.

    Example: ccanalytics demo
    """
    from ccanalytics.runs.demo import demo as run_demo

    written = run_demo(data, reports, weeks=weeks, scale=scale, seed=seed, bar=bar, say=print)
    say(f"{counted(len(written), 'report')}:")
    for path in written:
        say(f"  {path}")
