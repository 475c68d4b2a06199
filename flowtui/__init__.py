"""flow-tui: the record of one machine-learning run, in the terminal."""

__version__ = "0.1.0"
