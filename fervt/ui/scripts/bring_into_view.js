// Scrolls to what a click asked for, once per click, and keeps it in view while the page settles.
if (window.fervtBrought !== given.times) {
  window.fervtBrought = given.times;
  const ended = new AbortController();
  for (const act of ["wheel", "touchmove", "keydown", "pointerdown"])
    document.addEventListener(act, () => ended.abort(), { signal: ended.signal, passive: true });
  const until = performance.now() + 1500;
  const bring = () => {
    if (ended.signal.aborted) return;
    const place = document.querySelector(given.place);
    if (place) {
      place.style.scrollMarginTop = "1rem";
      place.scrollIntoView({ block: "start" });
    }
    if (performance.now() < until) setTimeout(bring, 60);
    else ended.abort();
  };
  bring();
}
