"""The program's commands. Nothing is built yet."""

import sys

from shell import Command, run

COMMANDS: list[Command] = []

if __name__ == "__main__":
    sys.exit(run("Program", "Nothing is built yet.", COMMANDS))
