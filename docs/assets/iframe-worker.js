// Browsers start no Worker for a page that was opened from a disk. There the search runs in a hidden
// frame instead: same messages, same script. The site's theme looks for the name IFrameWorker.
if (window.location.protocol === "file:") {
  window.IFrameWorker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      const script = new URL(url, document.baseURI).href;
      frame.srcdoc = "<!doctype html><body></body>";
      this.started = new Promise((resolve, reject) => {
        frame.onload = () => {
          const inner = frame.contentWindow;
          // What the script sends goes to whoever made this worker.
          inner.postMessage = (data) => {
            const event = new MessageEvent("message", { data });
            this.dispatchEvent(event);
            if (this.onmessage) this.onmessage(event);
          };
          const load = (source) =>
            new Promise((done, failed) => {
              const tag = inner.document.createElement("script");
              tag.src = new URL(source, script).href;
              tag.onload = done;
              tag.onerror = () => failed(new Error(`cannot load ${source}`));
              inner.document.body.appendChild(tag);
            });
          inner.importScripts = (...sources) =>
            sources.reduce((before, source) => before.then(() => load(source)), Promise.resolve());
          load(script).then(() => resolve(inner), reject);
        };
      });
      this.frame = frame;
      document.documentElement.appendChild(frame);
    }

    postMessage(data) {
      this.started.then((inner) => inner.dispatchEvent(new inner.MessageEvent("message", { data })));
    }

    terminate() {
      this.frame.remove();
    }
  };
  window.Worker = window.IFrameWorker;
}
