#!/usr/bin/env bash
# A deployment of four hospitals on one machine: the steps of docs/deploy.md, in their order, each role in its own folder.
#
#   examples/deployment/start.sh [folder]      default folder: deployment-out; it must not exist
#
# Every folder below it is what one machine would hold: configuration, key, state, log. Differences from a real
# deployment: all listen on 127.0.0.1 without TLS, and one person plays all roles. Ends by itself.
# LEDGER_PORT and COORDINATOR_PORT choose other ports than 7411 and 7412.
set -euo pipefail

project=$(cd "$(dirname "$0")/../.." && pwd)
templates=$project/examples/deployment
folder=${1:-deployment-out}
LEDGER_PORT=${LEDGER_PORT:-7411}
COORDINATOR_PORT=${COORDINATOR_PORT:-7412}
LEDGER_URL=http://127.0.0.1:$LEDGER_PORT
COORDINATOR_URL=http://127.0.0.1:$COORDINATOR_PORT
PATH=$project/node_modules/.bin:$PATH

# With the package installed this is: npx healthchain "$@"
healthchain() { node "$project/bin/healthchain.js" "$@"; }
step() { printf '\n== %s\n' "$*"; }

[ ! -e "$folder" ] || { echo "$folder exists already; name another folder" >&2; exit 1; }
mkdir -p "$folder" && cd "$folder"

services=()
stop() {
  [ ${#services[@]} -eq 0 ] || kill "${services[@]}" 2>/dev/null || true
  wait
}
trap stop EXIT

# Starts a role in the background, its log in its own folder, and waits for its line "ready" or "started".
start() {
  local role=$1 where=$2
  node "$project/bin/healthchain.js" "$role" start --config "$where/config.json" 2>"$where/log" &
  services+=($!)
  for _ in $(seq 300); do
    grep -q '^✓' "$where/log" && { grep -A2 '^✓' "$where/log"; return; }
    kill -0 $! 2>/dev/null || break
    sleep 0.1
  done
  cat "$where/log" >&2
  exit 1
}

# Copies a role's templates and fills in what is known by then.
configure() {
  local where=$1 file name
  for file in "$templates/$where"/*.json; do
    local text
    text=$(<"$file")
    for name in LEDGER_URL COORDINATOR_URL CONSORTIUM OPERATOR_KEY ${!KEY_@}; do
      text=${text//@$name@/${!name:-}}
    done
    text=${text//'"port": 7411'/'"port": '$LEDGER_PORT}
    text=${text//'"port": 7412'/'"port": '$COORDINATOR_PORT}
    printf '%s\n' "$text" >"$where/$(basename "$file")"
  done
}

step 'data: synthetic encounters; Klinikum West has its own column names, codes and units'
healthchain generate --hospitals 4 --rows 500 --seed 7 --out generated
mkdir -p {ledger,coordinator,admin,researcher} {north,east,south,west}/data
cp generated/hospital-1.csv north/data/encounters.csv
cp generated/hospital-2.csv east/data/encounters.csv
cp generated/hospital-3.csv south/data/encounters.csv
awk -F, -v OFS=';' '
  function comma(x) { sub(/\./, ",", x); return x }
  NR == 1 {
    print "Fallnummer;Alter;Geschlecht;Aufnahmeart;ICD-Kapitel;RR systolisch;RR diastolisch;Puls;BMI;Kreatinin [mg/l];HbA1c;Verweildauer;Raucher;Diabetes;verstorben"
    next
  }
  {
    $3 = $3 == "F" ? "w" : "m"
    $4 = $4 == "elective" ? "geplant" : $4 == "emergency" ? "Notfall" : "Verlegung"
    $9 = comma($9); $11 = comma($11)
    if ($10 != "") $10 = comma(sprintf("%.1f", $10 * 10))
    if ($13 == "") $13 = "unbekannt"
    print
  }' generated/hospital-4.csv >west/data/aufnahmen-2025.csv

step 'keys: each member makes its own and hands over the public half alone'
KEY_office=$(healthchain keys generate --out admin/key.pem)
for member in coordinator researcher north east south west; do
  declare "KEY_$member=$(healthchain keys generate --out $member/key.pem)"
done

step 'founding: the first admin signs who the first members are'
configure admin
healthchain ledger found --members admin/members.json --admin office --key admin/key.pem --out ledger/founding.json

step 'ledger'
configure ledger
start ledger ledger
CONSORTIUM=$(awk '$1 == "consortium" { print $2 }' ledger/log)
OPERATOR_KEY=$(awk '$1 == "operator" { print $3 }' ledger/log)
for where in admin coordinator researcher north east south west; do configure $where; done

step 'a member that joins later, and the dataset schema'
healthchain ledger register --config admin/config.json --member admin/west.json
healthchain ledger register-schema --config admin/config.json --schema generated/schema.json

step 'coordinator'
start coordinator coordinator

step 'doctor: every hospital looks at its configuration before it starts'
for hospital in north east south west; do
  echo "-- $hospital"
  healthchain doctor --config $hospital/config.json
done

step 'hospitals'
for hospital in north east south west; do start hospital $hospital; done
healthchain doctor --config researcher/config.json

step 'the researcher asks'
query=$(healthchain query submit --config researcher/config.json --query researcher/query.json)
echo "$query"

step 'Hospital East: a person reads the query and approves it'
healthchain hospital pending --config east/config.json
healthchain hospital approve "${query:0:12}" --config east/config.json

step 'the answer'
healthchain query result "$query" --config researcher/config.json --out researcher/answer --timeout 120
healthchain query status "$query" --config researcher/config.json

step 'anyone checks the answer against an export of the ledger'
healthchain ledger export --url "$LEDGER_URL" --out auditor/ledger.json
healthchain verify researcher/answer/receipt.json --result researcher/answer/result.json --ledger auditor/ledger.json

step 'key rotation: Hospital North replaces its key and restarts its node with it'
healthchain keys generate --out north/key-2.pem
healthchain keys rotate --config north/config.json --new-key north/key-2.pem
kill "${services[2]}" && wait "${services[2]}" || true
sed -i.old 's/"key.pem"/"key-2.pem"/' north/config.json
start hospital north
healthchain doctor --config north/config.json >/dev/null

step "done: $PWD holds every role's folder; all processes end now"
