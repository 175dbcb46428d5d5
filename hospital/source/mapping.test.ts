import { rmSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { renderMappingReport } from './mapping-report.ts';
import { checkMapping, openSource } from './source.ts';
import { PATIENTS, SENTINELS, temporaryFolder, writeText } from './testing/files.ts';

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true }));

describe('a mapping', () => {
  it('renames, translates and converts', async () => {
    const file = writeText(folder, 'his.csv', 'PatNr;Alter;BMI;Geschlecht\na;63;24,5;w\nb;-1;30;m\n');
    const mapping = {
      decimalComma: true,
      columns: {
        id: { column: 'PatNr' },
        age: { column: 'Alter', missing: ['-1'] },
        sex: { column: 'geschlecht', codes: { w: 'F', m: 'M' } },
      },
    };
    const source = await openSource({ file, mapping }, PATIENTS);
    expect(await checkMapping(source, PATIENTS)).toMatchObject({ fits: true });
    await source.verifyColumns(['id', 'age', 'bmi', 'sex']);
    expect((await source.run('SELECT * FROM records')).columns).toEqual([['a', 'b'], [63n, null], [245n, 300n], ['F', 'M']]); // prettier-ignore
    await source.close();
  });
});

describe('checkMapping', () => {
  it('counts what is found, missing and unfit, and shows no value', async () => {
    const first = writeText(folder, 'a.csv', 'id,age,sex\n1,63,F\n2,SENTINEL-7f3a,X\n3,98765.4321,\n');
    const second = writeText(folder, 'b.csv', 'id,age,sex,bmi\n4,,M,20\n');
    const source = await openSource({ files: [first, second] }, PATIENTS);
    const report = await checkMapping(source, PATIENTS);
    expect(report).toMatchObject({
      dataset: 'patients@1',
      rows: 4,
      fits: false,
      columns: [
        { column: 'id', values: 4, missing: 0, misfits: 0, fits: true },
        { column: 'age', values: 1, missing: 1, misfits: 2, fits: false },
        { column: 'bmi', absentFrom: ['a.csv'], values: 1, missing: 3, misfits: 0, fits: false },
        { column: 'sex', values: 2, missing: 1, misfits: 1, fits: false },
      ],
    });
    const text = renderMappingReport(report);
    expect(text).toMatch(/bmi .*NOT FOUND in a\.csv/);
    expect(text).toMatch(/age .*DOES NOT FIT/);
    for (const sentinel of SENTINELS) expect(text + JSON.stringify(report)).not.toContain(sentinel);
    await expect(checkMapping(source, { ...PATIENTS, version: 2 })).rejects.toMatchObject({ code: 'OUT_OF_ORDER' });
    await source.close();
  });
});
