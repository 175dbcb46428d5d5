"""Reads an answer with pyarrow and pandas: python3 examples/read-result/read.py answer/result.arrow

Needs pyarrow and pandas (pip install pyarrow pandas). Nothing of healthchain is imported: the file is plain Arrow IPC.
"""

import sys

import pyarrow as pa

table = pa.ipc.open_file(sys.argv[1]).read_all()

# Which query, session and ledger the answer comes from stands in the schema's metadata.
for key, value in (table.schema.metadata or {}).items():
    print(f"{key.decode()}: {value.decode()}")

frame = table.to_pandas()
print(frame.dtypes.to_string())

# Columns: the group keys (text), "withheld" (whether the whole group is), "withheld_values" (names of what else is not
# shown), then one double per value. A value that is withheld or undefined, as the mean of no rows, is NaN here.
keys = list(frame.columns[: frame.columns.get_loc("withheld")])
released = frame[~frame["withheld"]].drop(columns=["withheld", "withheld_values"])
print((released.set_index(keys) if keys else released).to_string())

if "count" in released:
    print(f"rows counted in all groups: {int(released['count'].sum())}")
