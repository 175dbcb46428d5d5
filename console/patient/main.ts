import { canonicalText } from '../../protocol/canonical-text.ts';
import type { PatientRecord, PatientStatement } from '../../protocol/consent.ts';
import { KeyProblem, makeKey, readKey, type PatientKey } from './key.ts';
import { inWords, signStatement, type Draft } from './statement.ts';

/** What the server says of the ledger, loaded with the page: from then on only sending needs it. */
interface Surroundings {
  readonly consortium: string;
  readonly hospitals: readonly { readonly id: string; readonly name: string }[];
  readonly datasets: readonly { readonly dataset: string; readonly consent: { readonly basis: string } }[];
}

const byId = (id: string): HTMLElement => document.getElementById(id)!;
/** An input; also a selection or a button, which have `value` and `disabled` too. */
const field = (id: string): HTMLInputElement => byId(id) as HTMLInputElement;
const passphrase = field('passphrase');

let around: Surroundings | undefined;
let key: PatientKey | undefined;
let saved = true;
let said: PatientRecord | undefined;
let draft: Draft | undefined;

function notice(text: string, problem = false): void {
  const place = byId('notice');
  place.textContent = text;
  place.classList.toggle('problem', problem);
}

/** Runs what a person asked for, and says what came of it. */
function run(action: () => Promise<void> | void): void {
  notice('');
  const ran = async (): Promise<void> => action();
  ran().catch((error: unknown) => {
    const known = error instanceof KeyProblem || error instanceof Answer;
    notice(known ? error.message : 'This did not work. Nothing was sent.', true);
  });
}

/** The server's refusal, in its own words. */
class Answer extends Error {
  readonly code: string;
  constructor({ code = 'NETWORK', message = 'The server answered with an error.', hint = '' }) {
    super(`${code}: ${message} ${hint}`.trim());
    this.code = code;
  }
}

async function ask<T>(path: string, body?: string): Promise<T> {
  const request = body === undefined ? {} : { method: 'POST', headers: { 'content-type': 'application/json' }, body };
  const response = await fetch(path, request).catch(() => {
    throw new Answer({ message: 'The server cannot be reached. Save the statement to a file, or try again later.' });
  });
  const answer = (await response.json().catch(() => ({}))) as T;
  if (!response.ok) throw new Answer(answer as { code?: string; message?: string; hint?: string });
  return answer;
}

async function loadSurroundings(): Promise<void> {
  const [ledger, { datasets }] = await Promise.all([
    ask<Omit<Surroundings, 'datasets'>>('v1/consent'),
    ask<Pick<Surroundings, 'datasets'>>('v1/datasets'),
  ]);
  around = { ...ledger, datasets };
  for (const { dataset, consent } of datasets) {
    const rule = consent.basis === 'none' ? 'used without consent, on another legal basis' : consent.basis;
    byId('dataset').append(new Option(`${dataset} (${rule})`, dataset));
  }
  for (const { id, name } of ledger.hospitals) {
    const box = document.createElement('input');
    box.type = 'checkbox';
    box.value = id;
    const label = document.createElement('label');
    label.append(box, ` ${name}`);
    byId('hospitals').append(label);
    byId('at-hospital').append(new Option(name, id));
  }
}

async function take(next: PatientKey, isSaved: boolean): Promise<void> {
  key = next;
  saved = isSaved;
  passphrase.value = '';
  byId('public-key').textContent = next.publicKey;
  field('save-key').disabled = false;
  setDraft(undefined);
  await loadSaid();
}

async function loadSaid(): Promise<void> {
  if (key === undefined) return;
  said = await ask<PatientRecord>(`v1/consent/patients/${key.publicKey}`).catch((error: unknown) => {
    if (error instanceof Answer && error.code === 'UNKNOWN') return undefined;
    throw error;
  });
  const lines = [
    ...(said?.consents ?? []).map((statement) => {
      const from =
        statement.epoch === undefined ? 'from the first epoch on' : `from the epoch after ${statement.epoch} on`;
      return { at: statement.sequence, text: `${inWords({ kind: 'consent', statement })} (${from})` };
    }),
    ...(said?.accesses ?? []).map((statement) => ({
      at: statement.sequence,
      text: inWords({ kind: 'access', statement }),
    })),
  ].sort((a, b) => b.at - a.at);
  const items = (lines.length === 0 ? [{ text: 'Nothing yet.' }] : lines).map(({ text }) => {
    const item = document.createElement('li');
    item.textContent = text;
    return item;
  });
  byId('said').replaceChildren(...items);
}

function setDraft(next: Draft | undefined): void {
  draft = next;
  byId('words').textContent = next === undefined ? 'Nothing to sign yet.' : inWords(next);
  byId('canonical').textContent = next === undefined ? '' : canonicalText(next.statement);
  for (const id of ['send', 'keep']) field(id).disabled = next === undefined;
  if (next !== undefined) byId('sign-title').focus();
}

/** What every statement begins with. Milliseconds count up by themselves; a clock that is behind is put past the last statement. */
function common(): { consortium: string; patient: string; sequence: number } {
  if (key === undefined) throw new KeyProblem('Open or make your key first.');
  if (around === undefined)
    throw new KeyProblem('The server has not said which ledger this is for: load the page again.');
  const newest = Math.max(0, ...[said?.consents, said?.accesses].map((all) => all?.at(-1)?.sequence ?? 0));
  return { consortium: around.consortium, patient: key.publicKey, sequence: Math.max(Date.now(), newest + 1) };
}

const chosen = (name: string): string =>
  document.querySelector<HTMLInputElement>(`input[name="${name}"]:checked`)?.value ?? '';

function ticked(id: string, what: string, others: readonly string[] = []): '*' | string[] {
  const boxes = [...byId(id).querySelectorAll<HTMLInputElement>('input[type="checkbox"]:checked')].map(
    ({ value }) => value,
  );
  if (boxes.includes('*')) return '*';
  const all = [...new Set([...boxes, ...others])];
  if (all.length === 0) throw new KeyProblem(`Choose ${what}, or all of them.`);
  return all;
}

function draftConsent(): Draft {
  const others = field('other-purposes').value.split(',');
  const codes = others.map((code) => code.trim()).filter((code) => code !== '');
  if (codes.some((code) => !/^[A-Za-z][A-Za-z0-9:_-]{0,62}$/.test(code))) {
    throw new KeyProblem('A purpose is written by its code, as GRU.');
  }
  return {
    kind: 'consent',
    statement: {
      ...common(),
      decision: chosen('decision') === 'grant' ? 'grant' : 'withdraw',
      dataset: field('dataset').value,
      purposes: ticked('purposes', 'a purpose', codes),
      hospitals: ticked('hospitals', 'a hospital'),
    },
  };
}

function draftAccess(): Draft {
  const whom = {
    doctor: field('doctor').value,
    hospital: field('at-hospital').value,
  };
  if (chosen('access') !== 'grant') return { kind: 'access', statement: { ...common(), decision: 'revoke', ...whom } };
  const until = field('until').value;
  if (until === '') throw new KeyProblem('Choose the last day on which the doctor may read.');
  return { kind: 'access', statement: { ...common(), decision: 'grant', ...whom, until } };
}

function signDraft(): Promise<PatientStatement> {
  if (key === undefined || draft === undefined) throw new KeyProblem('There is nothing to sign.');
  return signStatement(key, draft);
}

function download(name: string, text: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

const onSubmit = (id: string, action: () => Promise<void> | void): void =>
  byId(id).addEventListener('submit', (event) => {
    event.preventDefault();
    run(action);
  });
const onClick = (id: string, action: () => Promise<void>): void =>
  byId(id).addEventListener('click', () => run(action));

onClick('make-key', async () => {
  if (!saved) throw new KeyProblem('Save the key that you have first: without its file it is lost.');
  await take(await makeKey(), false);
  notice('A new key. Choose a passphrase and save the key to a file before you use it.');
});
onSubmit('key-form', async () => {
  const file = field('key-file').files?.[0];
  if (file === undefined) throw new KeyProblem('Choose the key file first.');
  await take(await readKey(await file.text(), passphrase.value), true);
  notice('Your key is open.');
});
onClick('save-key', async () => {
  if (passphrase.value.length < 12) throw new KeyProblem('Choose a passphrase of 12 characters or more first.');
  download('patient-key.json', await key!.seal(passphrase.value));
  saved = true;
  passphrase.value = '';
  notice('Saved. Keep the file and the passphrase: without them nobody can speak for you any more.');
});
onClick('refresh', loadSaid);
onSubmit('consent-form', () => setDraft(draftConsent()));
onSubmit('access-form', () => setDraft(draftAccess()));
onClick('send', async () => {
  if (!saved)
    throw new KeyProblem('Save your key to a file first: without it you could not withdraw what you say now.');
  const { index } = await ask<{ index: number }>('v1/consent/statements', JSON.stringify(await signDraft()));
  setDraft(undefined);
  await loadSaid();
  notice(`Recorded on the ledger as entry ${index}.`);
});
onClick('keep', async () => {
  download('statement.json', `${JSON.stringify(await signDraft(), undefined, 2)}\n`);
  notice('Saved. Anyone who runs the command line as a member can hand it in: healthchain consent relay.');
});
addEventListener('beforeunload', (event) => {
  if (!saved) event.preventDefault();
});
run(loadSurroundings);
