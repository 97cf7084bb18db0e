"""`python -m minigrad` is the command `minigrad`."""

import sys


def main() -> int:
    """Run the command; Ctrl-C while Python still reads it ends it in one line, too."""
    try:
        from minigrad import cli
    except KeyboardInterrupt:
        print("minigrad: stopped", file=sys.stderr)
        return 130
    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
