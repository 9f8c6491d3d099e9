// Plotly cannot show a picture in its hover text. So all faces are on one sheet, and a box beside
// the pointer shows the part of it that belongs to the point: its customdata is its position there.
const { columns, side } = given;
if (!document.getElementById("fervt-face-style")) {
  const style = document.createElement("style");
  style.id = "fervt-face-style";
  style.textContent = `
    .fervt-face { position: fixed; z-index: 1000; pointer-events: none; border-radius: 6px;
      width: ${side}px; height: ${side}px; box-shadow: 0 2px 10px rgba(0, 0, 0, .4);
      background-size: ${columns * side}px auto; }`;
  document.head.append(style);
}
window.fervtShowsFaces ??= document.addEventListener("mouseover", (entered) => {
  const chart = entered.target.closest?.(".st-key-face_map .js-plotly-plot");
  if (!chart?.on || chart.fervtShowsFaces) return;
  chart.fervtShowsFaces = true;
  const face = document.createElement("div");
  face.className = "fervt-face";
  chart.on("plotly_hover", ({ points, event }) => {
    const sheet = document.querySelector(".st-key-face_sheet img");
    const place = [points[0]?.customdata].flat()[0];
    if (!sheet || place === undefined) return;
    const x = place % columns, y = Math.floor(place / columns);
    face.style.backgroundImage = `url("${sheet.src}")`;
    face.style.backgroundPosition = `-${x * side}px -${y * side}px`;
    face.style.left = `${event.clientX + 16}px`;
    face.style.top = `${event.clientY - side - 16}px`;
    face.dataset.place = place;
    document.body.append(face);
  });
  chart.on("plotly_unhover", () => face.remove());
  chart.addEventListener("mouseleave", () => face.remove());
}) ?? true;
