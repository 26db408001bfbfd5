"""The network, against real servers on this machine."""
