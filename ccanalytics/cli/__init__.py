"""The command line: each command says in one line what went wrong and what to do.

Exit codes: 0 done, 1 a bug, 2 usage or input, 3 the log, 4 data that cannot answer.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

# The order in which help lists the commands.
# isort: off
from ccanalytics.cli import loading, trust, running, formulas, samples

# isort: on
from ccanalytics.cli.terminal import app, tame
from ccanalytics.errors import CcanalyticsError

__all__ = ["app", "formulas", "loading", "main", "running", "samples", "trust"]

_STOPPED = 130


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    try:
        given = sys.argv[1:] if arguments is None else arguments
        code = app(given or ["--help"], standalone_mode=False)
    except CcanalyticsError as error:
        return _complain(str(error), error.exit_code)
    except typer.Exit as leave:
        return leave.exit_code
    except typer.TyperException as error:
        text = " ".join(error.format_message().split())
        return _complain(f"{text} (see ccanalytics --help)" if text else "", error.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        return _complain("stopped", _STOPPED)
    except BrokenPipeError:
        # Whoever read our output has gone away; nothing is left to say.
        sys.stderr.close()
        return 0
    except Exception as error:  # the last line of defence against a traceback
        import logging

        logging.getLogger("ccanalytics").debug("traceback", exc_info=True)
        name = type(error).__name__
        return _complain(
            f"this is a bug in ccanalytics ({name}: {' '.join(str(error).split())}): "
            "run again with -v before the command for the traceback, and report it",
            1,
        )
    if code == _STOPPED:  # typer turns Ctrl-C into an exit code without a word
        return _complain("stopped", _STOPPED)
    return code if isinstance(code, int) else 0


def _complain(text: str, code: int) -> int:
    if text:
        print(f"ccanalytics: {tame(text)}", file=sys.stderr)
    return code


def _version(wanted: bool) -> None:
    if wanted:
        from ccanalytics import __version__

        print(f"ccanalytics {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Say what is going on.")] = False,
    _version_wanted: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    if verbose:
        import logging

        logging.basicConfig(level=logging.DEBUG, format="%(name)s: %(message)s")
        for noisy in ("papermill", "asyncio", "traitlets", "numba"):
            logging.getLogger(noisy).setLevel(logging.WARNING)
