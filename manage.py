#!/usr/bin/env python
"""Run an administrative command of Countersign."""

import argparse
import os
import sys


def take_data_dir(arguments: list[str]) -> None:
    """Heed `--data-dir` before the settings are loaded, as Django itself heeds `--settings`."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--data-dir", default=None)
    if data_dir := parser.parse_known_args(arguments)[0].data_dir:
        os.environ["DATA_DIR"] = data_dir


def main() -> None:
    """Hand the command line to Django."""
    take_data_dir(sys.argv[2:])
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reviewapp.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
