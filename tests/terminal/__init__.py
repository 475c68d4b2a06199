"""flow-tui in a real terminal: a pty, its bytes, and what they leave on the screen."""
