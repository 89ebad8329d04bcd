/** The stages in columns: each stands right of the furthest of those it subscribed to (`from`; unsaid: the one before). */
export function columns(stages) {
  const depths = new Map();
  stages.forEach((stage, i) => {
    const sources = stage.from ?? (i === 0 ? [] : [stages[i - 1].id]);
    depths.set(stage.id, Math.max(-1, ...sources.map((id) => depths.get(id) ?? -1)) + 1);
  });
  const found = [];
  for (const stage of stages) (found[depths.get(stage.id)] ??= []).push(stage);
  return found;
}
