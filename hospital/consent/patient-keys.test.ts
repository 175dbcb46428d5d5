import { rmSync } from 'node:fs';
import { inspect } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { Identity } from '../../protocol/identity.ts';
import { SENTINELS, temporaryFolder, writeText } from '../source/testing/files.ts';
import { PatientKeys } from './patient-keys.ts';

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true }));

const [a, b, c] = Array.from({ length: 3 }, () => Identity.generate().publicKey) as [string, string, string];
const read = (text: string | Uint8Array): Promise<PatientKeys> => PatientKeys.read(writeText(folder, 'keys.csv', text));

describe('the file of patients’ keys', () => {
  it.each([
    ['plain', `patient,key\np1,${a}\np2,${b}\n`],
    ['the other order', `key,patient\n${a},p1\n${b},p2\n`],
    ['semicolons, byte order mark, quotes, white space', `\ufeffpatient;key\r\n"p1";${a}\r\n p2 ; ${b} \r\n`],
  ])('reads %s', async (_, text) => {
    const keys = await read(text);
    expect(keys.size).toBe(2);
    expect(keys.who(new Map([[a, 'grant']]), 'grant')).toEqual(['p1']);
    expect(
      keys.who(
        new Map([
          [a, 'withdraw'],
          [b, 'withdraw'],
          [c, 'withdraw'],
        ]),
        'withdraw',
      ),
    ).toEqual(['p1', 'p2']);
  });

  it('may hold nobody yet', async () => {
    expect((await read('patient,key\n')).size).toBe(0);
  });

  const patient = SENTINELS[0];
  it.each([
    [
      'a patient twice',
      `patient,key\n${patient},${a}\n${patient},${a}\n`,
      /data row 2: patient is the patient of row 1 again/,
    ],
    ['a patient with two keys', `patient,key\n${patient},${a}\n${patient},${b}\n`, /data row 2: patient/],
    ['white space for another patient', `patient,key\n${patient},${a}\n ${patient} ,${b}\n`, /data row 2: patient/],
    ['a key of two patients', `patient,key\nx,${a}\n${patient},${a}\n`, /data row 2: key is the key of row 1 again/],
    ['no patient', `patient,key\n,${a}\n`, /data row 1: patient is empty/],
    ['no key', `patient,key\n${patient},\n`, /data row 1: key is not a key/],
    ['a short key', `patient,key\nx,${a}\n${patient},${a.slice(2)}\n`, /data row 2: key is not a key/],
    ['a key in capitals', `patient,key\n${patient},${'AB'.repeat(32)}\n`, /data row 1: key is not a key/],
    ['a column too many', `patient,key,name\n${patient},${a},x\n`, /header is not patient,key/],
    ['no header', `${patient},${a}\n`, /first line names none/],
    ['a row of three fields', `patient,key\n${patient},${a},x\n`, /more or fewer fields/],
    ['nothing', '', /is empty/],
    ['no text', new Uint8Array([0, 1, 2, 3]), /is not text/],
  ])('refuses %s, and names no value', async (_, text, says) => {
    const error: unknown = await read(text).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ message: expect.stringMatching(says) as string });
    const told = inspect(error, { depth: 5 });
    expect(told).not.toContain(patient);
    expect(told).not.toContain(a);
  });

  it('refuses a file that is not there', async () => {
    await expect(PatientKeys.read(`${folder}/nowhere.csv`)).rejects.toMatchObject({ kind: 'Misuse', code: 'BAD_FILE' });
  });

  it('prints nobody', async () => {
    const keys = await read(`patient,key\n${patient},${a}\n`);
    expect(inspect(keys, { depth: 9, showHidden: true })).not.toMatch(new RegExp(`${patient}|${a}`));
  });
});
