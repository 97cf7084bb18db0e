"""The machine's C compiler behind a script, which notes what it is asked."""

import shutil

CC = shutil.which("cc")
ANSWER = "int answer(void) { return 41; }\n"


def script(path, *lines):
    """An executable that runs these lines of a shell."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["#!/bin/sh", *lines]) + "\n")
    path.chmod(0o755)
    return path


class Watched:
    """The machine's compiler, each call noted; ``before`` are lines of a shell."""

    def __init__(self, folder, *before):
        self.log = folder / "calls"
        note = f'echo "$*" >> "{self.log}"'
        self.path = script(folder / "watched-cc", note, *before, f'exec "{CC}" "$@"')

    @property
    def calls(self):
        return self.log.read_text().splitlines() if self.log.exists() else []

    @property
    def builds(self):
        return sum(" -o " in call for call in self.calls)
