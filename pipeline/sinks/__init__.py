"""Where results go: the files of a run itself, and what complete runs are delivered to."""
