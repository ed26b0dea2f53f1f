"""Run by the Python of the peers: a file into the table `record` with pandas.

`python peer_pandas.py FILE HOST DATABASE`: the cluster listens on a socket in the folder HOST.
"""

import sys

import pandas
from sqlalchemy import create_engine

source, host, database = sys.argv[1:]
records = pandas.read_csv(source, dtype={"code": str, "active": str}, parse_dates=["day"])
records["active"] = records["active"].isin(["1", "true"])
engine = create_engine(f"postgresql+psycopg://postgres@/{database}?host={host}")
records.to_sql("record", engine, if_exists="append", index=False)
