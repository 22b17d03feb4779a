#!/usr/bin/env bash
# Restores, builds and runs every test. Takes Mesh.sln where the Orleans packages restore, else Mesh.Embedded.slnf, and says which.
# The last line, alone: N passed, N failed
#   CONFIGURATION=Debug|Release (default Release)    FILTER='FullyQualifiedName~Routing' runs some of the tests
set -uo pipefail
cd "$(dirname "$0")"
configuration=${CONFIGURATION:-Release}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1

fail() { echo "$1" >&2; echo "0 passed, 1 failed"; exit 1; }

solution=Mesh.sln
if dotnet restore Mesh.sln >"$log" 2>&1; then
  echo "Packages of Mesh.sln restored: running everything."
else
  solution=Mesh.Embedded.slnf
  echo "Mesh.sln does not restore here ($(grep -oE 'error [A-Z]+[0-9]+: [^[]*' "$log" | head -n 1)): running Mesh.Embedded.slnf, without the Orleans projects."
  dotnet restore "$solution" >"$log" 2>&1 || { cat "$log"; fail "restore failed"; }
fi

dotnet build "$solution" --no-restore -c "$configuration" -v quiet -nodeReuse:false || fail "build failed"

dotnet test "$solution" --no-build -c "$configuration" -m:1 --logger "console;verbosity=minimal" \
  ${FILTER:+--filter "$FILTER"} </dev/null 2>&1 | tee "$log"
status=${PIPESTATUS[0]}

read -r passed failed skipped < <(awk '
  /Failed: +[0-9]+, Passed: +[0-9]+, Skipped: +[0-9]+/ {
    line = $0
    sub(/.*Failed: +/, "", line); failed += line + 0
    sub(/.*Passed: +/, "", line); passed += line + 0
    sub(/.*Skipped: +/, "", line); skipped += line + 0
  }
  END { print passed + 0, failed + 0, skipped + 0 }' "$log")

# A test host that crashed counts nothing as failed, but the run did fail.
if [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then
  echo "the test run ended with exit code $status" >&2
  failed=1
fi
[ "$((passed + failed))" -gt 0 ] || { echo "no test ran" >&2; failed=1; }
if [ "$skipped" -gt 0 ]; then echo "$skipped skipped: what they need is not installed here; their names and reasons stand above"; fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
