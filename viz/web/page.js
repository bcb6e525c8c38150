"use strict";
// Starts the viewer on the recording that the page names.

const message = document.getElementById("message");

// The picture is made for a dark surround; the viewer asks here which theme is wanted.
const matchMedia = window.matchMedia.bind(window);
const themes = { "(prefers-color-scheme: dark)": "all", "(prefers-color-scheme: light)": "not all" };
window.matchMedia = query => matchMedia(themes[query] ?? query);

function fail(why) {
  console.error(why);
  message.textContent =
    `The viewer could not start: ${why}\n\nIt needs WebAssembly with SIMD and WebGL 2: ` +
    "Chrome or Edge 91, Firefox 89, Safari 16.4 or newer.";
}

async function start() {
  const { wasm, recording } = document.body.dataset;
  await wasm_bindgen({ module_or_path: wasm });
  message.textContent = "Starting…";
  const viewer = new wasm_bindgen.WebHandle({
    url: [new URL(recording, location.href).href],
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
