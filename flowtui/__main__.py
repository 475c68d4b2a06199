"""`python -m flowtui` is `flow-tui`."""

from flowtui.cli import main

if __name__ == "__main__":
    main()
