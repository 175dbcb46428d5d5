import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, 'patient');
const FILES = [
  { path: '/patient', file: 'index.html', type: 'text/html; charset=utf-8' },
  { path: '/patient/page.css', file: 'page.css', type: 'text/css; charset=utf-8' },
  { path: '/patient/page.js', file: 'page.js', type: 'text/javascript; charset=utf-8' },
] as const;

/** The files of the patient's page, read once; undefined where it was not built. */
export function patientPage():
  { readonly path: string; readonly type: string; readonly body: Uint8Array<ArrayBuffer> }[] | undefined {
  if (!FILES.every(({ file }) => existsSync(join(folder, file)))) return undefined;
  return FILES.map(({ path, file, type }) => ({ path, type, body: new Uint8Array(readFileSync(join(folder, file))) }));
}
