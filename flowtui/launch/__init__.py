"""A program that is started, traced and followed.

request.py     what is started, and how
exporting.py   the variables that have a program send its spans here
search.py      which run is the program's own
tracing.py     the receiver, and the run that it writes into
plain.py       the program without a terminal: a wrapper that only adds the receiver
"""
