"""A style sheet that is parsed once for each set of colours.

Textual parses everything again when an app whose theme was set shows its first screen, and once
more after that. Without this cache parsing takes three times as long, and the first paint comes a
tenth later.
"""

from __future__ import annotations

from flowtui.terminal.textual_private import InternalStylesheet


class CachedStylesheet(InternalStylesheet):
    """Keeps the parsed rules until a variable that they were parsed with changes."""

    def set_variables(self, variables: dict[str, str]) -> None:
        if variables != self.variables:
            super().set_variables(variables)

    def reparse(self) -> None:
        # Unlike Textual's, this uses the parser's cache, which a change of variables has emptied.
        self.parse()
