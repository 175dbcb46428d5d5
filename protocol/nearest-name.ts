/** The known name a person probably meant, or undefined when none comes near. */
export function nearestName(wrong: string, known: Iterable<string>): string | undefined {
  const lower = wrong.toLowerCase();
  let best: string | undefined;
  // A third of the letters may be wrong: "thalac" and "tahlach" are found, "xyz" finds nothing.
  let bestDistance = Math.ceil(wrong.length / 3) + 1;
  for (const name of known) {
    const candidate = name.toLowerCase();
    const distance = isStem(candidate, lower) ? 1 : editDistance(candidate, lower);
    if (distance < bestDistance) [best, bestDistance] = [name, distance];
  }
  return best;
}

/** ` did you mean "chol"?`, to be put after a semicolon; empty when no name comes near. */
export function suggestion(wrong: string, known: Iterable<string>): string {
  const nearest = nearestName(wrong, known);
  return nearest === undefined ? '' : `; did you mean "${nearest}"?`;
}

/** At most `limit` names as a list for an error text. */
export function listNames(names: readonly string[], limit = 12): string {
  const shown = names.slice(0, limit).join(', ');
  return names.length > limit ? `${shown} and ${names.length - limit} more` : shown;
}

/** "chol" of "cholesterol": people write names out in full, or cut them short. */
const isStem = (a: string, b: string): boolean =>
  Math.min(a.length, b.length) >= 3 && (a.startsWith(b) || b.startsWith(a));

/** Levenshtein distance. Names are at most 63 letters, so the plain quadratic table will do. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
