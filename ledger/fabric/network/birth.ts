import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * When a process was born, as a text that no later process of the same id shares; undefined when none runs. On Linux the
 * boot and the clock ticks since it, elsewhere what `ps` says. A process that ended and was not yet waited for counts as ended.
 */
export function birthOf(pid: number): string | undefined {
  return process.platform === 'linux' ? linuxBirth(pid) : psBirth(pid);
}

function linuxBirth(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in parentheses, and may contain anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${fields[19]!}`;
  } catch {
    return undefined;
  }
}

function psBirth(pid: number): string | undefined {
  try {
    const text = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    const [state = '', ...birth] = text.split(/\s+/);
    return text === '' || state.startsWith('Z') ? undefined : birth.join(' ');
  } catch {
    return undefined;
  }
}
