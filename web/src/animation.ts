/** Call `draw` before each repaint while the page is visible; return a function that stops this. */
export function animate(draw: (now: number) => void): () => void {
  let frame = 0;
  const next = () => {
    frame = requestAnimationFrame((now) => {
      draw(now);
      next();
    });
  };
  const update = () => {
    cancelAnimationFrame(frame);
    if (!document.hidden) next();
  };
  document.addEventListener("visibilitychange", update);
  update();
  return () => {
    document.removeEventListener("visibilitychange", update);
    cancelAnimationFrame(frame);
  };
}
