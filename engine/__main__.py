"""`python -m engine …` is `misaki …`."""

import sys

from engine.cli import main

sys.exit(main())
