"""Files to frozen values that a screen can show, in bounded time and memory.

`preview.preview` is the front door. What a file is, is decided by its content first and its name
second; parsers that cannot be bounded run in a child process with limits. Nothing here draws.
"""
