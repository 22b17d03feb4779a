// Before the first paint, so that a dark page never flashes white.
(() => {
  let kept = null;
  try { kept = localStorage.getItem('mesh.theme'); } catch { /* storage is closed to us: the system's choice holds */ }
  if (kept === 'light' || kept === 'dark') document.documentElement.dataset.theme = kept;
})();
