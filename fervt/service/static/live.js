// One frame under way at a time: the next is taken from the video only when the answer to the last
// has come, so what is shown is never older than one round trip and nothing queues anywhere.

const FRAME_WIDTH = 320;
const JPEG_QUALITY = 0.8;
const BUSY_PAUSE_MS = 300;
const ANSWER_TIMEOUT_MS = 8000;
const LEGENDS = {
  gwa: "Grid-wise attention (GWA): orange cells weigh more than the average cell.",
  gat: "Graph attention, last layer: the thicker the line, the stronger the attention between two regions.",
};

const $ = (id) => document.getElementById(id);
const video = $("video");
const canvas = $("canvas");
const pen = canvas.getContext("2d");
const shot = document.createElement("canvas");

const model = await (await fetch("v1/model")).json();
const expressions = Object.fromEntries(model.classes.map((c) => [c.label, c]));
const bars = makeBars();

let camera = null; // the MediaStream while it runs
let socket = null;
let sentAt = 0; // when the frame under way was sent, 0 for none
let retryMs = 500;
let photo = null; // the picture on show while the camera is off
let answer = null;
const latencies = [];
const arrivals = [];

$("model").textContent = `Model: ${model.name}. ${model.description}`;

function overlay() {
  return document.querySelector("input[name=overlay]:checked").value;
}

function say(text, bad = false) {
  $("status").textContent = text;
  $("status").classList.toggle("bad", bad);
}

// ---- the camera and the socket

async function startCamera() {
  if (!navigator.mediaDevices) {
    say("Browsers allow cameras only on https:// pages and on localhost.", true);
    return;
  }
  say("Waiting for the camera …");
  const chosen = $("device").value;
  const wanted = { width: { ideal: 640 }, height: { ideal: 480 } };
  try {
    camera = await navigator.mediaDevices.getUserMedia({
      video: chosen ? { ...wanted, deviceId: { exact: chosen } } : { ...wanted, facingMode: "user" },
      audio: false,
    });
  } catch (error) {
    const why = {
      NotAllowedError: "Camera access is blocked: allow it in the browser's address bar.",
      NotFoundError: "No camera was found; choose a photo instead.",
      NotReadableError: "Another program is using the camera.",
    };
    say(why[error.name] ?? `The camera cannot be opened (${error.name}).`, true);
    return;
  }
  photo = null;
  answer = null;
  camera.getVideoTracks()[0].addEventListener("ended", stopCamera);
  video.srcObject = camera;
  video.hidden = false;
  await video.play();
  $("stage").style.aspectRatio = `${video.videoWidth} / ${video.videoHeight}`;
  $("empty").hidden = true;
  $("camera").textContent = "Stop camera";
  await listDevices();
  connect();
}

function stopCamera() {
  camera?.getTracks().forEach((track) => track.stop());
  camera = null;
  socket?.close();
  video.srcObject = null;
  video.hidden = true;
  $("camera").textContent = "Start camera";
  $("empty").hidden = photo !== null;
  show(null);
  say("The camera is off.");
}

async function listDevices() {
  const found = (await navigator.mediaDevices.enumerateDevices()).filter((d) => d.kind === "videoinput");
  const current = camera?.getVideoTracks()[0]?.getSettings().deviceId;
  $("device").replaceChildren(
    ...found.map((d, i) => new Option(d.label || `Camera ${i + 1}`, d.deviceId, false, d.deviceId === current)),
  );
  $("device-choice").hidden = found.length < 2;
}

function connect() {
  const url = new URL("v1/live", document.baseURI);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const mine = new WebSocket(url);
  socket = mine;
  mine.addEventListener("open", () => {
    retryMs = 500;
    sentAt = 0;
    say("Live.");
    sendSettings();
    nextFrame();
  });
  mine.addEventListener("message", (event) => {
    if (mine === socket) receive(JSON.parse(event.data));
  });
  mine.addEventListener("close", (event) => {
    if (mine !== socket || !camera) return;
    say(event.reason || "The service cannot be reached; retrying …", true);
    sentAt = 0;
    setTimeout(() => camera && mine === socket && connect(), retryMs);
    retryMs = Math.min(retryMs * 2, 8000);
  });
}

function sendSettings() {
  if (socket?.readyState === WebSocket.OPEN) {
    socket.send(JSON.stringify({ explain: overlay() ? [overlay()] : [] }));
  }
}

function nextFrame() {
  if (!camera) return;
  // Only a new frame: sending the same one twice is pointless.
  if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(sendFrame);
  else requestAnimationFrame(sendFrame);
}

function sendFrame() {
  const mine = socket;
  if (!camera || sentAt || mine?.readyState !== WebSocket.OPEN) return;
  shot.width = FRAME_WIDTH;
  shot.height = Math.round((FRAME_WIDTH * video.videoHeight) / video.videoWidth);
  shot.getContext("2d").drawImage(video, 0, 0, shot.width, shot.height);
  sentAt = performance.now();
  shot.toBlob(
    (blob) => {
      if (mine === socket && mine.readyState === WebSocket.OPEN) mine.send(blob);
    },
    "image/jpeg",
    JPEG_QUALITY,
  );
}

function receive(message) {
  const now = performance.now();
  const took = now - sentAt;
  sentAt = 0;
  if (!camera) return;
  if (message.problem) {
    say(message.problem.detail, true);
    setTimeout(nextFrame, BUSY_PAUSE_MS);
    return;
  }
  say("Live.");
  latencies.push(took);
  if (latencies.length > 30) latencies.shift();
  arrivals.push(now);
  while (now - arrivals[0] > 2000) arrivals.shift();
  show(message);
  nextFrame();
}

setInterval(() => {
  if (camera && sentAt && performance.now() - sentAt > ANSWER_TIMEOUT_MS) socket?.close();
}, 1000);

// ---- a photo

async function readPhoto(file) {
  if (camera) stopCamera();
  say("Reading the photo …");
  try {
    photo = await createImageBitmap(file);
  } catch {
    photo = null;
  }
  const asked = overlay() ? `?explain=${overlay()}` : "";
  let reply;
  try {
    const type = file.type.startsWith("image/") ? file.type : "application/octet-stream";
    reply = await fetch(`v1/predict${asked}`, { method: "POST", body: file, headers: { "Content-Type": type } });
  } catch {
    say("The service cannot be reached.", true);
    return;
  }
  const body = await reply.json();
  if (!reply.ok) {
    say(body.detail, true);
    show(null);
    return;
  }
  if (photo) $("stage").style.aspectRatio = `${photo.width} / ${photo.height}`;
  $("empty").hidden = photo !== null;
  show(body.images[0]);
  say(body.images[0].faces_found ? "Done." : "No face was found.");
}

// ---- what is shown

function makeBars() {
  const rows = model.classes.map((c) => {
    const row = document.createElement("li");
    row.innerHTML =
      '<span class="name"><i class="dot"></i></span>' +
      '<div class="track"><div class="fill"></div></div><span class="share"></span>';
    row.querySelector(".name").append(c.name);
    for (const part of row.querySelectorAll(".dot, .fill")) part.style.background = c.color;
    $("bars").append(row);
    return row;
  });
  return Object.fromEntries(model.classes.map((c, i) => [c.label, rows[i]]));
}

function show(message) {
  answer = message;
  const face = message?.faces[0];
  $("headline").textContent = face ? expressions[face.label].name : "–";
  $("which").textContent = message?.faces_found > 1 ? `Largest of ${message.faces_found} faces` : "Largest face";
  for (const [label, row] of Object.entries(bars)) {
    const share = face ? face.probabilities[label] : 0;
    row.querySelector(".fill").style.width = `${100 * share}%`;
    row.querySelector(".share").textContent = face ? `${Math.round(100 * share)}%` : "";
    row.classList.toggle("best", label === face?.label);
  }
  $("faces").textContent = message ? message.faces_found : "–";
  if (!camera) {
    latencies.length = arrivals.length = 0;
  }
  const span = arrivals.at(-1) - arrivals[0];
  $("fps").textContent = span > 0 ? ((1000 * (arrivals.length - 1)) / span).toFixed(1) : "–";
  const sorted = [...latencies].sort((a, b) => a - b);
  $("latency").textContent = sorted.length ? `${Math.round(sorted[sorted.length >> 1])} ms` : "–";
  draw();
}

function draw() {
  const width = camera ? video.videoWidth : (photo?.width ?? 0);
  const height = camera ? video.videoHeight : (photo?.height ?? 0);
  $("stage").classList.toggle("mirrored", isMirrored());
  if (!width) {
    pen.clearRect(0, 0, canvas.width, canvas.height);
    return;
  }
  // Twice the page's pixels at most, so that lines stay sharp and photos cheap.
  const scale = Math.min(1, 1600 / Math.max(width, height)) * Math.max(1, 960 / width);
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  if (photo && !camera) pen.drawImage(photo, 0, 0, canvas.width, canvas.height);
  if (!answer) return;
  const toCanvas = canvas.width / answer.width;
  const unit = canvas.width / 480;
  for (const face of answer.faces) {
    tilted(face, toCanvas, () => {
      if (face.gwa) drawGrid(face, toCanvas);
      if (face.gat) drawGraph(face, toCanvas, unit);
      drawBox(face, toCanvas, unit);
    });
    drawTag(face, toCanvas, unit);
  }
}

/** Draws with the pen tilted as the face is, about the middle of its box. */
function tilted(face, toCanvas, draw) {
  const [x, y, width, height] = place(face.box_xyxy_px, toCanvas);
  const [middleX, middleY] = [x + width / 2, y + height / 2];
  pen.save();
  pen.translate(middleX, middleY);
  pen.rotate(((isMirrored() ? -1 : 1) * face.angle_deg * Math.PI) / 180);
  pen.translate(-middleX, -middleY);
  draw();
  pen.restore();
}

function isMirrored() {
  return camera !== null && $("mirror").checked;
}

/** A rectangle of the frame on the canvas: [x, y, width, height]. */
function place([left, top, right, bottom], toCanvas) {
  const x = isMirrored() ? canvas.width - right * toCanvas : left * toCanvas;
  return [x, top * toCanvas, (right - left) * toCanvas, (bottom - top) * toCanvas];
}

function drawBox(face, toCanvas, unit) {
  pen.lineWidth = 2 * unit;
  pen.strokeStyle = expressions[face.label].color;
  pen.beginPath();
  pen.roundRect(...place(face.box_xyxy_px, toCanvas), 4 * unit);
  pen.stroke();
}

function drawTag(face, toCanvas, unit) {
  const { name, color } = expressions[face.label];
  const [x, untilted, width] = place(face.box_xyxy_px, toCanvas);
  const tilt = (face.angle_deg * Math.PI) / 180; // above the highest corner
  const y = untilted - ((Math.abs(Math.cos(tilt)) + Math.abs(Math.sin(tilt)) - 1) * width) / 2;
  const text = `${name} ${Math.round(100 * face.probabilities[face.label])}%`;
  pen.font = `600 ${11 * unit}px system-ui, sans-serif`;
  const tag = pen.measureText(text).width + 10 * unit;
  const high = 18 * unit;
  const tagX = Math.max(0, Math.min(x - unit, canvas.width - tag));
  const tagY = y > high ? y - high : y;
  pen.fillStyle = color;
  pen.beginPath();
  pen.roundRect(tagX, tagY, tag, high, 4 * unit);
  pen.fill();
  pen.fillStyle = isLight(color) ? "#111" : "#fff";
  pen.textBaseline = "middle";
  pen.fillText(text, tagX + 5 * unit, tagY + high / 2 + 0.5 * unit);
}

function isLight(color) {
  const [r, g, b] = [1, 3, 5].map((i) => {
    const c = parseInt(color.slice(i, i + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179; // where black text reads better than white
}

/** Middle of a cell of the 7x7 grid on the canvas, and the cell's side. */
function cellAt(face, toCanvas, row, column) {
  const [x, y, width, height] = place(face.grid_xyxy_px, toCanvas);
  const n = model.grid.side;
  const across = isMirrored() ? n - 1 - column : column;
  return [x + ((across + 0.5) * width) / n, y + ((row + 0.5) * height) / n, width / n];
}

function drawGrid(face, toCanvas) {
  const most = Math.max(...face.gwa.flat());
  face.gwa.forEach((cells, row) =>
    cells.forEach((weight, column) => {
      if (weight <= 1) return;
      const [x, y, side] = cellAt(face, toCanvas, row, column);
      pen.fillStyle = `rgb(255 98 0 / ${(0.66 * (weight - 1)) / Math.max(most - 1, 0.25)})`;
      pen.fillRect(x - side / 2, y - side / 2, side + 0.5, side + 0.5);
    }),
  );
}

function drawGraph(face, toCanvas, unit) {
  const n = model.grid.side;
  const at = (node) => cellAt(face, toCanvas, Math.floor(node / n), node % n);
  const layer = face.gat.at(-1);
  const strength = new Map(); // both directions of a pair together
  layer.forEach((attention, i) => {
    const [a, b] = [model.grid.edge_sources[i], model.grid.edge_targets[i]];
    if (a === b) return;
    const key = a < b ? `${a} ${b}` : `${b} ${a}`;
    strength.set(key, (strength.get(key) ?? 0) + attention);
  });
  pen.fillStyle = "rgb(12 12 48 / 0.45)"; // so that lines show on a bright face
  pen.fillRect(...place(face.grid_xyxy_px, toCanvas));
  const most = Math.max(...strength.values());
  for (const [key, value] of strength) {
    const [a, b] = key.split(" ").map(Number);
    const share = value / most;
    pen.strokeStyle = `rgb(255 255 255 / ${0.15 + 0.8 * share})`;
    pen.lineWidth = unit * (0.4 + 2.8 * share * share);
    pen.beginPath();
    pen.moveTo(...at(a).slice(0, 2));
    pen.lineTo(...at(b).slice(0, 2));
    pen.stroke();
  }
  pen.fillStyle = "#ffc65c";
  for (let node = 0; node < n * n; node += 1) {
    const [x, y] = at(node);
    pen.beginPath();
    pen.arc(x, y, 1.8 * unit, 0, 2 * Math.PI);
    pen.fill();
  }
}

// ---- controls

$("camera").addEventListener("click", () => (camera ? stopCamera() : startCamera()));
$("device").addEventListener("change", () => {
  stopCamera();
  startCamera();
});
$("mirror").addEventListener("change", draw);

let lastFile = null;
$("photo").addEventListener("change", (event) => {
  [lastFile] = event.target.files;
  event.target.value = "";
  if (lastFile) readPhoto(lastFile);
});
document.querySelectorAll("input[name=overlay]").forEach((choice) =>
  choice.addEventListener("change", () => {
    $("legend").textContent = LEGENDS[overlay()] ?? "";
    $("legend").hidden = !overlay();
    sendSettings();
    if (!camera && photo && lastFile) readPhoto(lastFile);
  }),
);
