// A click in a video's timeline takes the player to that moment.
window.fervtLinksFilm ??= document.addEventListener("mouseover", (entered) => {
  const chart = entered.target.closest?.(".st-key-video_timeline .js-plotly-plot");
  if (!chart?.on || chart.fervtLinksFilm) return;
  chart.fervtLinksFilm = true;
  chart.on("plotly_click", ({ points }) => {
    const player = document.querySelector('[data-testid="stVideo"]');
    const film = player?.matches("video") ? player : player?.querySelector("video");
    if (film && points[0]) film.currentTime = points[0].x;
  });
}) ?? true;
