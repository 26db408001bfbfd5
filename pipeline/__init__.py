"""The policywire application: configuration, sources, sinks, and the order of the stages."""

__version__ = "0.1.0"
