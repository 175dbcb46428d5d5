import type { Measurement } from './measurement.ts';

const NAME_WIDTH = 76;

/** The table on standard output, line by line as figures come, and one line of progress on a terminal's standard error. */
export class Console {
  readonly #live = process.stderr.isTTY;

  heading(text: string): void {
    this.#clear();
    const columns = ['median', 'least', 'most'].map((each) => each.padStart(11)).join('');
    console.log(`\n${text.padEnd(NAME_WIDTH)}${columns}`);
  }

  row({ name, unit, median, minimum, maximum, target }: Measurement): void {
    this.#clear();
    const figures = [median, minimum, maximum].map((value) => figure(value).padStart(11)).join('');
    const verdict = target === undefined ? '' : `  ${median <= target ? '✓' : '✗'} target ${figure(target)}`;
    console.log(`${name.padEnd(NAME_WIDTH)}${figures} ${unit}${verdict}`);
  }

  say(text: string): void {
    this.#clear();
    console.log(text);
  }

  /** What is being done now; lines of their own where there is no terminal, so that a log shows that it goes on. */
  progress(text: string): void {
    if (this.#live) process.stderr.write(`\r\u001b[K  … ${text}`);
    else process.stderr.write(`  … ${text}\n`);
  }

  #clear(): void {
    if (this.#live) process.stderr.write('\r\u001b[K');
  }
}

function figure(value: number): string {
  if (value >= 1000) return value.toFixed(0);
  if (value >= 100) return value.toFixed(1);
  return value.toFixed(value >= 10 ? 2 : 3);
}
