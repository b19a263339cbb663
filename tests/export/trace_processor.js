// Runs Perfetto's own trace processor, which its UI has as WebAssembly, in Node: requests come on standard input, as
// its protocol has them, and replies go to standard output. The argument is the folder with the UI's files.
const fs = require('fs');
const path = require('path');
const vm = require('vm');

const folder = process.argv[2];
const requests = fs.readFileSync(0);
const read = (name) => fs.readFileSync(path.join(folder, path.basename(String(name))));

// What a web worker has, as far as the engine asks for it.
const worker = {
  TextDecoder, URL, clearTimeout, performance, setTimeout,
  console: {log: console.error, warn: console.error, error: console.error},
  crypto: globalThis.crypto,
  WorkerGlobalScope: class {},
  location: {href: 'http://localhost/engine_bundle.js'},
  importScripts() {},
  XMLHttpRequest: class {
    open(method, name) {
      this.name = name;
    }
    send() {
      this.response = Uint8Array.from(read(this.name)).buffer;
    }
  },
};
worker.self = worker;
worker.globalThis = worker;
vm.createContext(worker);
vm.runInContext(read('engine_bundle.js').toString(), worker);

const port = {
  postMessage: (reply) => fs.writeSync(1, Buffer.from(reply)),
};
worker.onmessage({data: port});

// It begins at once; a promise stands between that and the place for requests.
const bytes = vm.runInContext('Uint8Array', worker).from(requests);
setTimeout(() => port.onmessage({data: bytes}), 0);
