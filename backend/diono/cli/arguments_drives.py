"""The grammar of `diono drives`."""

import argparse

ACTIONS = ("list", "connect", "ls", "pull", "push", "unlink")
MODES = ("paste", "device", "password", "login")


def add_drives(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", choices=ACTIONS, default="list")
    parser.add_argument(
        "name", nargs="?", metavar="NAME", help="connect: a provider; else: a link's id"
    )
    parser.add_argument(
        "items", nargs="*", metavar="ITEM", help="pull: ids of the drive; push: of the library"
    )
    parser.add_argument("--project", help="pull and push: the project's id")
    parser.add_argument("--folder", help="ls and push: a folder's id on the drive")
    parser.add_argument("--mode", choices=MODES, help="connect: how (default: what works)")
    parser.add_argument("--address", default="", help="connect webdav: the server's address")
    parser.add_argument("--username", default="", help="connect webdav: your name there")
    parser.add_argument(
        "--json", dest="as_json", action="store_true", help="print one JSON object on stdout"
    )
