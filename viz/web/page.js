"use strict";
// Starts the viewer on the recording that the page names.

const message = document.getElementById("message");

// The picture is made for a dark surround; the viewer asks here which theme is wanted.
const matchMedia = window.matchMedia.bind(window);
const themes = { "(prefers-color-scheme: dark)": "all", "(prefers-color-scheme: light)": "not all" };
window.matchMedia = query => matchMedia(themes[query] ?? query);

// Not under its own name: the viewer's script would find that one.
const ask = window.fetch.bind(window);
const pause = ms => new Promise(done => setTimeout(done, ms));
const drawn = () => new Promise(done => requestAnimationFrame(() => setTimeout(done)));

// Parts that the viewer takes in with each picture it draws, at least.
const PARTS_PER_PICTURE = 16;

// A picture while it is made, as one recording without end. What is new is asked for when the last is
// drawn: then a slow browser gets the newest, and nothing that has been overtaken waits in it.
function growing(url) {
  let from = 0;
  return new ReadableStream({
    async pull(to) {
      for (;;) {
        const answer = await ask(`${url}?from=${from}`).catch(() => undefined);
        if (!answer?.ok) return to.close(); // The program has ended.
        const news = new Uint8Array(await answer.arrayBuffer());
        const told = name => answer.headers.get(`Beluga-${name}`);
        from = told("Next");
        if (news.length > 0) to.enqueue(news);
        for (let parts = +told("Parts"); parts > 0; parts -= PARTS_PER_PICTURE) await drawn();
        if (told("Then") === "end") return to.close();
        if (told("Then") === "wait") await pause(250);
        if (news.length > 0) return;
      }
    },
  }, { highWaterMark: 0 });
}

// The viewer asks for its recording here.
function follow(recording) {
  window.fetch = (what, ...how) => {
    const url = typeof what === "string" ? what : what.url;
    return url === recording ? Promise.resolve(new Response(growing(url))) : ask(what, ...how);
  };
}

function fail(why) {
  console.error(why);
  message.textContent =
    `The viewer could not start: ${why}\n\nIt needs WebAssembly with SIMD and WebGL 2: ` +
    "Chrome or Edge 91, Firefox 89, Safari 16.4 or newer.";
}

async function start() {
  const { wasm, recording, made } = document.body.dataset;
  const url = new URL(recording, location.href).href;
  if (made === "now") follow(url);
  await wasm_bindgen({ module_or_path: wasm });
  message.textContent = "Starting…";
  const viewer = new wasm_bindgen.WebHandle({
    url: [url],
    render_backend: new URLSearchParams(location.search).get("renderer") ?? "webgl",
    hide_welcome_screen: true,
    enable_history: false,
    persist: false,
  });
  await viewer.start(document.getElementById("picture"));
  message.textContent = "";
  const watch = setInterval(() => {
    if (viewer.has_panicked()) {
      clearInterval(watch);
      fail(viewer.panic_message() ?? "it failed; reload the page");
    }
  }, 1000);
}

start().catch(fail);
