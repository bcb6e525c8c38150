#!/bin/sh
# Load on `beluga maml serve` over loopback: requests a second, latency, what is shed, memory.
# sh benches/serve-load.sh BELUGA [SECONDS]    needs wrk and curl (Debian: wrk, curl)
set -eu
beluga=$1
seconds=${2:-8}
root=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
address=127.0.0.1:18787
export BELUGA_HOME="$folder/home"

# A document of 4096 bytes: a whole one of the guide's profile, and prose.
whole="$root/sinks/tests/documents/05_guide_complete.maml.md"
cp "$whole" "$folder/document"
printf '\n## Execution Plan\n' >> "$folder/document"
while [ "$(wc -c < "$folder/document")" -lt 3990 ]; do
    echo 'The apron is surveyed from the water at both tides, the lidar above and the sonar below.' >> "$folder/document"
done
missing=$((4096 - $(wc -c < "$folder/document")))
printf "%${missing}s" '' >> "$folder/document"
cat > "$folder/post.lua" <<LUA
wrk.method = "POST"
wrk.body = io.open("$folder/document", "rb"):read("*a")
wrk.headers["Content-Type"] = "text/markdown"
LUA

"$beluga" maml serve --bind "$address" 2> "$folder/log" &
service=$!
trap 'kill -INT $service 2> /dev/null; rm -rf "$folder"' EXIT
until curl -sf "http://$address/healthz" > /dev/null; do kill -0 $service; done
for connections in 8 64 256; do
    echo "== $connections connections, $seconds s"
    wrk -t1 -c$connections -d"${seconds}s" --latency -s "$folder/post.lua" "http://$address/v1/maml/validate" |
        grep -E "^ +(50|99)%|requests in|Non-2xx|Requests/sec"
    grep -E 'VmRSS|VmHWM' "/proc/$service/status"
done
curl -s "http://$address/metrics" | grep -E 'requests_total\{|seconds_(sum|count)'
