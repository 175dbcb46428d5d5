import { createPrivateKey } from 'node:crypto';

/** A way in which a secret could be written, by name. */
export interface Trace {
  readonly of: string;
  readonly bytes: Buffer;
}

/** Every form in which a text could pass unsealed. Short forms would be found by chance and are left out. */
export const tracesOfText = (text: string): Trace[] => [
  { of: `${text} as ASCII`, bytes: Buffer.from(text) },
  { of: `${text} as UTF-16LE`, bytes: Buffer.from(text, 'utf16le') },
  { of: `${text} as UTF-16BE`, bytes: Buffer.from(text, 'utf16le').swap16() },
  { of: `${text} as hexadecimal`, bytes: Buffer.from(Buffer.from(text).toString('hex')) },
  ...base64Of(text).map((bytes) => ({ of: `${text} as base64`, bytes })),
];

/** A text inside longer base64 stands at one of three offsets; the part that does not depend on its neighbours. */
function base64Of(text: string): Buffer[] {
  return [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), Buffer.from(text)])
      .toString('base64')
      .replace(/=+$/, '');
    return Buffer.from(encoded.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + text.length) * 8) / 6)));
  });
}

/** A number as text, double and as scaled integer of 32 and 64 bits and of a scalar, in either order of bytes. */
export function tracesOfNumber(value: number, decimals: number): Trace[] {
  const scaled = BigInt(Math.round(value * 10 ** decimals));
  const double = Buffer.alloc(8);
  double.writeDoubleLE(value);
  const wide = Buffer.alloc(8);
  wide.writeBigInt64LE(scaled);
  const scalar = Buffer.concat([wide, Buffer.alloc(24)]);
  const binary: [string, Buffer][] = [
    ['float64', double],
    ['int64', wide],
    ['scalar', scalar],
  ];
  return [
    ...tracesOfText(String(value)),
    ...tracesOfText(String(scaled)),
    ...binary.flatMap(([form, bytes]) => [
      { of: `${value} as little-endian ${form}`, bytes },
      { of: `${value} as big-endian ${form}`, bytes: Buffer.from(bytes).reverse() },
    ]),
  ];
}

/** Four bytes occur by chance once in 2^32 places: only worth a look where little is searched. */
export function tracesOfInt32(value: number, decimals: number): Trace[] {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(Math.round(value * 10 ** decimals));
  return [
    { of: `${value} as little-endian int32`, bytes },
    { of: `${value} as big-endian int32`, bytes: Buffer.from(bytes).reverse() },
  ];
}

/** A private key as PEM body, as raw seed, in hexadecimal and base64. */
export function tracesOfKey(name: string, pem: string): Trace[] {
  const { d } = createPrivateKey(pem).export({ format: 'jwk' });
  const seed = Buffer.from(d!, 'base64url');
  const of = (form: string, bytes: Buffer): Trace => ({ of: `key of ${name}, ${form}`, bytes });
  return [
    of('PEM body', Buffer.from(pem.split('\n')[1]!)),
    of('raw', seed),
    of('hexadecimal', Buffer.from(seed.toString('hex'))),
    ...[0, 1, 2].map((offset) => {
      const whole = Buffer.concat([Buffer.alloc(offset), seed]).toString('base64');
      return of('base64', Buffer.from(whole.slice(4, 40)));
    }),
  ];
}

/** Names of the traces that occur in the text or bytes. */
export const found = (traces: readonly Trace[], where: Buffer | string): string[] => {
  const bytes = Buffer.from(where);
  return traces.filter((trace) => bytes.includes(trace.bytes)).map((trace) => trace.of);
};
