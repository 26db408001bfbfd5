"""Live feeds: which there are, and what a run does with them before its graph is built."""
