"""``python -m ccanalytics`` is the command line."""

import sys

from ccanalytics.cli import main

if __name__ == "__main__":
    sys.exit(main())
