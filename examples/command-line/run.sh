#!/usr/bin/env bash
# A consortium from the command line: three synthetic hospitals answer a query with a cohort, derived columns and groups.
#
#   examples/command-line/run.sh [folder]      default folder: command-line-out
set -euo pipefail

folder=$(realpath -m "${1:-command-line-out}")
cd "$(dirname "$0")/../.."

npx healthchain generate --hospitals 3 --rows 2000 --seed 42 --out "$folder/data"

npx healthchain sandbox \
  --hospital "aachen=$folder/data/hospital-1.csv" \
  --hospital "bergen=$folder/data/hospital-2.csv" \
  --hospital "como=$folder/data/hospital-3.csv" \
  --schema "$folder/data/schema.json" \
  --query examples/command-line/query.json \
  --out "$folder"

npx healthchain verify "$folder/receipt.json" --result "$folder/result.json" --ledger "$folder/ledger.json"
