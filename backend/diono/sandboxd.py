"""The sandbox service's process: the one program that talks to the container engine.

    python -m diono.sandboxd --config JSON [--exit-with-parent]

It prints ``ready`` when it listens. SIGTERM, SIGINT or (with --exit-with-parent) the end of its
standard input make it end every running sandbox and stop.
"""

import sys

from diono.sandbox.server.process import main

if __name__ == "__main__":
    sys.exit(main())
