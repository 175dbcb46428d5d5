import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { normalizeQuery, planQuery } from '../../analytics/index.ts';
import { sandboxPolicy, type SitePolicy } from '../../hospital/policy.ts';
import { generateEncounters } from '../../hospital/synthetic/index.ts';
import { datasetMapping, inferSchema, openSource, type DatasetMapping } from '../../hospital/source/index.ts';
import { errorFromRecord, Fault, HealthchainError, Misuse } from '../../protocol/errors.ts';
import { organisationId } from '../../protocol/names.ts';
import { datasetSchema, schemaReference, type DatasetSchema } from '../../protocol/schema.ts';
import { verifyAnswer } from '../../researcher/result/verify.ts';
import { fetchAnswer } from '../answer-files.ts';
import { readDocument, readText } from '../files.ts';
import { requireAnswerable } from '../local/answerable.ts';
import { LocalConsortium, type LocalHospital } from '../local/consortium.ts';
import { sandboxNetwork, type SandboxNetwork } from '../local/network.ts';
import { done, say, warn } from '../output.ts';
import { seconds, wholeNumber } from '../numbers.ts';
import { parseQueryFile } from '../query-file.ts';
import { showProgress } from './query.ts';

interface SandboxOptions {
  hospital: string[];
  schema?: string;
  mapping?: string;
  policy?: string;
  query: string;
  out: string;
  keep?: string;
  timeout: number;
  ledger?: string;
  fabric?: string;
}

export function addSandboxCommands(program: Command): void {
  program
    .command('sandbox')
    .description('a whole consortium on this machine, one process per hospital, answers one query')
    .requiredOption(
      '--hospital <name=file>',
      'a hospital and its data file (CSV, Parquet, Arrow, NDJSON); repeat for each',
      collect,
      [],
    )
    .option('--schema <file>', 'dataset schema; inferred from the files if left out')
    .option(
      '--mapping <file>',
      'how the files become the dataset: names, codes, missing values, decimal comma, as in the configuration of a hospital',
    )
    .option(
      '--policy <file>',
      'site policy that all hospitals use; by default it allows all that keeps to the usual release rule',
    )
    .requiredOption('--query <file>', 'the query (JSON)')
    .requiredOption('--out <folder>', 'where result.json, result.csv, result.arrow, receipt.json and ledger.json go')
    .option('--keep <folder>', 'keep keys, configurations and logs of all processes here')
    .option('--timeout <seconds>', 'give up after', seconds, 600)
    .option(
      '--ledger <embedded|fabric>',
      'fabric makes a network of Fabric, for which its programs must be there',
      'embedded',
    )
    .option('--fabric <folder>', 'or uses the one that healthchain fabric up made there, with a channel of its own')
    .action((options: SandboxOptions) => runSandbox(options));

  program
    .command('demo')
    .description('four synthetic hospitals answer a query, and anyone checks the answer')
    .option('--out <folder>', 'where everything goes', 'demo-out')
    .option('--rows <n>', 'rows per hospital', wholeNumber, 10_000)
    .action(async (options: { out: string; rows: number }) => {
      const data = join(options.out, 'data');
      const generated = await generateEncounters({ hospitals: 4, rows: options.rows, seed: 1, out: data });
      done(`four hospitals with ${options.rows} synthetic encounters each in ${data}`);
      await runSandbox({
        hospital: generated.files.map((file, i) => `hospital-${i + 1}=${file}`),
        schema: generated.schema,
        query: generated.query,
        out: options.out,
        timeout: 120,
      });
      const read = (name: string): string => readText(join(options.out, name), name);
      await verifyAnswer({ receipt: read('receipt.json'), ledger: read('ledger.json'), result: read('result.json') });
      done('checked again from the files alone. Do it yourself:');
      say(
        `    npx healthchain verify ${options.out}/receipt.json --result ${options.out}/result.json --ledger ${options.out}/ledger.json`,
      );
    });
}

const collect = (value: string, before: string[]): string[] => [...before, value];

async function runSandbox(options: SandboxOptions): Promise<void> {
  const mapping =
    options.mapping === undefined ? undefined : readDocument(datasetMapping, options.mapping, 'mapping', 'BAD_CONFIG');
  const hospitals = parseHospitals(options.hospital).map((hospital) => ({ ...hospital, mapping }));
  const query = parseQueryFile(readText(options.query, 'query'), options.query);
  const schema = await findSchema(options.schema, query, hospitals, mapping);
  // A mistake in the query, or one that nobody would answer, shows before any process starts.
  const normal = normalizeQuery(query, (name) => only(schema, name));
  const plan = planQuery(normal, schema);
  const policy: SitePolicy = sandboxPolicy(options.policy === undefined ? {} : parsePolicy(options.policy));
  requireAnswerable(normal, { policy, schema, hospitals: hospitals.length });
  const folder = options.keep ?? mkdtempSync(join(tmpdir(), 'healthchain-'));
  const network = await openNetwork(options, folder, hospitals.length);
  let consortium: LocalConsortium | undefined;
  try {
    consortium = await LocalConsortium.start({ folder, hospitals, schema, policy, fabric: network?.description }, done);
    const id = await consortium.researcher.submit(query);
    await fetchAnswer(consortium, id, { ...options, progress: showProgress });
    done(`result.json, result.csv, result.arrow, receipt.json and ledger.json are in ${options.out}`);
  } catch (error) {
    throw await whatDoesNotFit(error, hospitals, schema, plan.columns);
  } finally {
    await consortium?.stop();
    await network?.close();
    if (options.keep === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

/** The consortium of a sandbox has one dataset. */
function only(schema: DatasetSchema, asked: string): DatasetSchema {
  if (asked === schema.dataset || asked === schemaReference(schema)) return schema;
  throw new Misuse('BAD_QUERY', `dataset: the query asks of ${asked}, and the schema is of ${schemaReference(schema)}`);
}

/** Which value of which file a hospital stumbled over stands in its own log alone; here its files are at hand. */
async function whatDoesNotFit(
  error: unknown,
  hospitals: readonly LocalHospital[],
  schema: DatasetSchema,
  columns: readonly string[],
): Promise<unknown> {
  if (!(error instanceof Fault) || error.code !== 'DATA') return error;
  const hospital = hospitals.find(({ id }) => id === error.party);
  if (hospital === undefined) return error;
  try {
    const source = await openSource({ files: [...hospital.files], mapping: hospital.mapping }, schema);
    await source.verifyColumns(columns).finally(() => source.close());
    return error;
  } catch (found) {
    return found instanceof HealthchainError ? errorFromRecord({ ...found.toJSON(), party: hospital.id }) : error;
  }
}

async function openNetwork(
  { ledger = 'embedded', fabric }: SandboxOptions,
  folder: string,
  hospitals: number,
): Promise<SandboxNetwork | undefined> {
  if (ledger !== 'embedded' && ledger !== 'fabric')
    throw new Misuse('BAD_CONFIG', `--ledger ${ledger}: expected embedded or fabric`);
  if (ledger === 'embedded' && fabric === undefined) return undefined;
  return sandboxNetwork({ folder: join(folder, 'fabric'), running: fabric, hospitals }, done);
}

function parseHospitals(pairs: readonly string[]): LocalHospital[] {
  const hospitals = pairs.map((pair) => {
    const at = pair.indexOf('=');
    const id = organisationId.safeParse(pair.slice(0, at));
    if (at < 1 || !id.success)
      throw new Misuse(
        'BAD_CONFIG',
        `--hospital ${pair}: expected name=file, the name in lower-case letters, digits, - and _`,
      );
    const file = pair.slice(at + 1);
    if (!existsSync(file))
      throw new Misuse('BAD_FILE', `--hospital ${pair}: the file does not exist`, {
        hint: 'Check the path; it is relative to the present folder.',
      });
    return { id: id.data, files: [file] };
  });
  if (new Set(hospitals.map(({ id }) => id)).size !== hospitals.length)
    throw new Misuse('BAD_CONFIG', 'two hospitals have the same name');
  if (hospitals.length < 2)
    throw new Misuse('BAD_CONFIG', 'a consortium has at least two hospitals', {
      hint: 'Give --hospital name=file once for each.',
    });
  return hospitals;
}

async function findSchema(
  path: string | undefined,
  query: object,
  hospitals: readonly LocalHospital[],
  mapping: DatasetMapping | undefined,
): Promise<DatasetSchema> {
  if (path !== undefined) return readDocument(datasetSchema, path, 'schema', 'BAD_SCHEMA');
  const named = 'dataset' in query && typeof query.dataset === 'string' ? query.dataset.split('@')[0]! : 'data';
  const schema = await inferSchema(
    hospitals.flatMap(({ files }) => files),
    { dataset: named, mapping, note: warn },
  );
  done(`schema inferred from ${hospitals.length} files: ${schema.columns.length} columns`);
  return schema;
}

function parsePolicy(path: string): object {
  return parseQueryFile(readText(path, 'site policy'), path);
}
