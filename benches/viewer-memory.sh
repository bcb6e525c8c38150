#!/bin/sh
# Memory of beluga and of a headless browser while a recording is replayed into it, once a minute.
#
#   benches/viewer-memory.sh BELUGA RECORDING [SPEED] [EVERY_SECONDS]
#
# BELUGA is the program (target/release/beluga), RECORDING what it replays, for instance ten minutes of
# `beluga sim --scene sample --seconds 600 --out long`; SPEED as of `replay --speed` (1), EVERY_SECONDS
# between two lines (60). Each line: seconds since the start, memory of beluga's own (RssAnon: without the pages of
# the program's file, of which the bundled viewer alone is 40 MB), proportional memory
# of all the browser's processes (Pss), pictures a second that the page draws (over four seconds or more), processor time of
# all the browser's processes for each of them, processor time of beluga so far, size of the picture on disk. Two
# more lines after the end of the run. Needs Linux, chromium, and node 22, or node 20, which is told
# --experimental-websocket. A browser without a graphics card draws in software: the pictures a second are then
# those of the processor and of what else it has to do; the processor time of a picture is not.
set -eu
beluga=$1 recording=$2 speed=${3:-1} every=${4:-60}
port=$((9300 + $$ % 600))
work=$(mktemp -d)

cat >"$work/browser" <<BROWSER
#!/bin/sh
exec chromium --headless=new --no-sandbox --no-first-run --disable-background-networking --disable-sync \\
  --disable-component-update --disable-dev-shm-usage --use-gl=angle --use-angle=swiftshader \\
  --enable-unsafe-swiftshader --ignore-gpu-blocklist --window-size=1200,800 --user-data-dir=$work/profile \\
  --remote-debugging-port=$port "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1" "\$1"
BROWSER
chmod +x "$work/browser"

cat >"$work/frames.mjs" <<'FRAMES'
const [port, profile, picture] = process.argv.slice(2);
const pages = await (await fetch(`http://127.0.0.1:${port}/json`)).json();
const socket = new WebSocket(pages.find(page => page.type === "page").webSocketDebuggerUrl);
await new Promise(opened => { socket.onopen = opened; });
const answers = new Map();
socket.onmessage = ({ data }) => { const { id, result } = JSON.parse(data); answers.get(id)?.(result); };
const ask = (id, method, params) =>
  new Promise(answered => { answers.set(id, answered); socket.send(JSON.stringify({ id, method, params })); });
const late = new Promise(given => setTimeout(() => given(undefined), 30000));
// Processor time so far of all the browser's processes, milliseconds.
const { readdirSync, readFileSync, writeFileSync } = await import("node:fs");
const tick_ms = 10;
const read = path => { try { return readFileSync(path, "latin1"); } catch { return ""; } };
const cpu = () => readdirSync("/proc").filter(pid => read(`/proc/${pid}/cmdline`).includes(`--user-data-dir=${profile}`)).reduce((sum, pid) => {
  const fields = read(`/proc/${pid}/stat`).replace(/.*\) /, "").split(" ");
  return sum + (+fields[11] + +fields[12] || 0) * tick_ms; }, 0);
const count = `new Promise(done => { let n = 0; const start = performance.now(); const next = () => {
  n++; const ms = performance.now() - start;
  ms < 4000 || n < 8 && ms < 20000 ? requestAnimationFrame(next) : done([n, ms]); }; requestAnimationFrame(next); })`;
const before = cpu();
const counted = await Promise.race([
  ask(1, "Runtime.evaluate", { awaitPromise: true, returnByValue: true, expression: count }), late]);
const [pictures, ms] = counted?.result?.value ?? [];
if (ms) console.log(`${(pictures / ms * 1000).toFixed(1)} pictures/s of ${((cpu() - before) / pictures).toFixed(0)} ms`);
if (picture) {
  const shot = await Promise.race([ask(2, "Page.captureScreenshot", { format: "png" }), late]);
  if (shot) writeFileSync(picture, Buffer.from(shot.data, "base64"));
}
process.exit(0);
FRAMES

# The run's own folder, so that nothing of it stays: key store, record, picture.
CI='' BELUGA_HOME=$work/home BROWSER=$work/browser \
  "$beluga" replay "$recording" --out "$work/run.maml" --view web --speed "$speed" >"$work/said" 2>&1 &
run=$!
browser_pids() { pgrep -f -- "--user-data-dir=$work/profile" || true; }
finish() {
  kill -INT "$run" 2>/dev/null || true
  for pid in $(browser_pids); do kill "$pid" 2>/dev/null || true; done
  wait "$run" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT

start=$(date +%s) after=0 next=$every
while [ "$after" -lt 3 ]; do
  left=$((start + next - $(date +%s)))
  if [ "$left" -gt 0 ]; then sleep "$left"; fi
  next=$((next + every))
  kill -0 "$run" 2>/dev/null || { cat "$work/said"; exit 1; }
  if grep -q 'stays until' "$work/said"; then after=$((after + 1)); fi
  rss=$(awk '/^RssAnon/ { print int($2 / 1024) }' "/proc/$run/status")
  pss=0
  for pid in $(browser_pids); do
    pss=$((pss + $(awk '/^Pss:/ { sum += $2 } END { print int(sum / 1024) }' "/proc/$pid/smaps_rollup" 2>/dev/null || echo 0)))
  done
  picture=''; if [ "$after" -eq 2 ]; then picture=${PICTURE:-}; fi
  frames=$(timeout 60 node --experimental-websocket "$work/frames.mjs" "$port" "$work/profile" $picture 2>/dev/null || true)
  own=$(awk -v hz="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); printf "%.0f", ($12 + $13) / hz }' "/proc/$run/stat")
  disk=$(($(stat -c %s "$work/run.rrd") / 1000000))
  note=''; if [ "$after" -gt 0 ]; then note=', run ended'; fi
  echo "$(($(date +%s) - start)) s: beluga $rss MB, browser $pss MB, ${frames:-no picture}, beluga's own $own s, .rrd $disk MB$note"
done
