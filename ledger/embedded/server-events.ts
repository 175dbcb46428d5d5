import { Fault } from '../../protocol/errors.ts';

export interface ServerEvent {
  readonly event: string;
  readonly data: string;
}

/**
 * Reads server-sent events (WHATWG HTML, section 9.2) off a stream of bytes: `event` and `data` fields alone; comments, ids and
 * retry times are skipped. Errors: `Fault LEDGER_DOWN` for an event of more than `limit` characters or a broken stream.
 */
export async function* readEvents(stream: ReadableStream<Uint8Array>, limit: number): AsyncGenerator<ServerEvent> {
  let name = '';
  let data: string[] = [];
  for await (const line of readLines(stream, limit)) {
    if (line === '') {
      if (data.length > 0) yield { event: name, data: data.join('\n') };
      [name, data] = ['', []];
    } else if (line.startsWith('event:')) name = fieldValue(line);
    else if (line.startsWith('data:')) data.push(fieldValue(line));
    if (data.length > 1000) throw new Fault('LEDGER_DOWN', 'an event of the ledger stream has too many lines');
  }
}

const fieldValue = (line: string): string => line.slice(line.indexOf(':') + 1).replace(/^ /, '');

async function* readLines(stream: ReadableStream<Uint8Array>, limit: number): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const part of stream) {
      const lines = (rest + decoder.decode(part, { stream: true })).split(/\r\n|\n/);
      rest = lines.pop() ?? '';
      if (rest.length > limit) throw new Fault('LEDGER_DOWN', 'an event of the ledger stream is too long');
      yield* lines;
    }
  } catch (cause) {
    throw cause instanceof Fault ? cause : new Fault('LEDGER_DOWN', 'the ledger stream broke', { cause });
  }
}
