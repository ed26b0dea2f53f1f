"""`python -m bench`: every bench in turn; exit 1 if a goal is missed."""

import sys

from bench import batch, delivery, engine, fragment, imports, jobs_list, preview, start, tables
from bench import zip as zip_bench

BENCHES = (zip_bench, fragment, engine, jobs_list, batch, preview, tables, imports, delivery, start)

if __name__ == "__main__":
    sys.exit(not all(tuple(bench.main() for bench in BENCHES)))
