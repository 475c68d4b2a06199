"""What runs in a child process: one module a library, none of which the app itself loads.

They import as little as they can, since every preview waits for it.
"""
