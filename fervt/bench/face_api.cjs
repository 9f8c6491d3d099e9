// Classifies one 48 x 48 face with @vladmandic/face-api on its WASM backend, as many times as each
// input line says, and prints the mean seconds. Its argument is the folder that holds node_modules.
const path = require("path");
const readline = require("readline");
const { createRequire } = require("module");

const find = createRequire(path.join(process.argv[2], "index.js"));

async function main() {
  const tf = find("@tensorflow/tfjs");
  const wasm = find("@tensorflow/tfjs-backend-wasm");
  wasm.setWasmPaths(path.dirname(find.resolve("@tensorflow/tfjs-backend-wasm")) + path.sep);
  wasm.setThreadsCount(1);
  await tf.setBackend("wasm");
  await tf.ready();
  const api = find("@vladmandic/face-api/dist/face-api.node-wasm.js");
  const home = path.dirname(path.dirname(find.resolve("@vladmandic/face-api/dist/face-api.node-wasm.js")));
  await api.nets.faceExpressionNet.loadFromDisk(path.join(home, "model"));
  const face = tf.randomUniform([48, 48, 3], 0, 255);
  const classify = () => api.nets.faceExpressionNet.predictExpressions(face);
  await classify();
  console.log(JSON.stringify({ backend: tf.getBackend() }));
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const times = Number(line);
    const began = process.hrtime.bigint();
    for (let i = 0; i < times; i++) await classify();
    const seconds = Number(process.hrtime.bigint() - began) / 1e9 / times;
    console.log(JSON.stringify({ seconds }));
  }
}

main().catch(() => process.exit(1));
