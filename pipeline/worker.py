"""A worker process of a run on this machine: Beam's own, but silent while it starts.

Until Beam's log handler stands, its start-up messages would go to standard error, in
between the log lines of the run. What goes wrong still ends the process with its
traceback.
"""

import logging
import sys

if __name__ == "__main__":
    logging.getLogger().addHandler(logging.NullHandler())

    from apache_beam.runners.worker import sdk_worker_main

    sdk_worker_main.main(sys.argv)
