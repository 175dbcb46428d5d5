export function digestOfFiles(base: string, files: readonly string[]): string;
export function isCurrent(base: string, name: string): boolean;
