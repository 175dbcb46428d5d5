import { randomBytes } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NetworkDescription } from '../network/index.ts';

/** Certificate and private key (PEM files) of one identity. */
export interface IdentityFiles {
  readonly certificate: string;
  readonly privateKey: string;
}

/** The extension in which a Fabric CA writes a certificate's attributes. */
const ATTRIBUTES = '1.2.3.4.5.6.7.8.1';

/**
 * A certificate authority by OpenSSL: an organisation's own, made by cryptogen, or a stranger's. Issues what cryptogen
 * cannot: attributes as a Fabric CA writes them, certificates that have expired, revocation lists.
 */
export class Authority {
  readonly #folder: string;
  readonly #certificate: string;
  readonly #privateKey: string;
  #issued = 0;

  private constructor(folder: string, { certificate, privateKey }: IdentityFiles) {
    this.#folder = folder;
    this.#certificate = certificate;
    this.#privateKey = privateKey;
    writeFileSync(join(folder, 'index.txt'), '');
    for (const name of ['serial', 'crlnumber'])
      writeFileSync(join(folder, name), `${randomBytes(8).toString('hex')}\n`);
  }

  /** The CA of an organisation of the network. */
  static of(network: NetworkDescription, organisation: string): Authority {
    const { identities } = network.organisations.find(({ name }) => name === organisation)!;
    // users/<user>/msp/signcerts/<file>, five levels under the organisation's folder.
    const home = join(identities.user.certificate, '../../../../..');
    const ca = join(home, 'ca');
    const certificate = readdirSync(ca).find((name) => name.endsWith('.pem'))!;
    return new Authority(mkdtempSync(join(home, 'issued-')), {
      certificate: join(ca, certificate),
      privateKey: join(
        ca,
        readdirSync(ca).find((name) => name !== certificate)!,
      ),
    });
  }

  /** A CA that no channel knows, in a folder of its own. */
  static stranger(folder: string): Authority {
    mkdirSync(folder, { recursive: true });
    const [certificate, privateKey] = [join(folder, 'ca.pem'), join(folder, 'ca.key')];
    newKey(privateKey);
    openssl('req', '-x509', '-new', '-key', privateKey, '-subj', '/CN=ca.north.example.com', '-out', certificate);
    return new Authority(folder, { certificate, privateKey });
  }

  /** Issues a client certificate. Seconds count from now, and may lie in the past; cryptogen's own CAs begin five minutes ago. */
  issue(of: { readonly attribute?: string; readonly from?: number; readonly until?: number } = {}): IdentityFiles {
    const name = `client${++this.#issued}`;
    const file = (ending: string): string => join(this.#folder, `${name}.${ending}`);
    newKey(file('key'));
    openssl('req', '-new', '-key', file('key'), '-subj', `/OU=client/CN=${name}`, '-out', file('csr'));
    const attributes = JSON.stringify({ attrs: { 'healthchain.organisation': of.attribute } });
    const extension = `${ATTRIBUTES}=DER:${Buffer.from(attributes).toString('hex')}`;
    writeFileSync(file('cnf'), configuration(this.#folder, of.attribute === undefined ? '' : extension));
    const dates = ['-startdate', time(of.from ?? -120), '-enddate', time(of.until ?? 86_400)];
    const paths = ['-config', file('cnf'), '-in', file('csr'), '-out', file('pem')];
    openssl('ca', '-batch', '-notext', ...dates, ...paths, ...this.#keys());
    return { certificate: file('pem'), privateKey: file('key') };
  }

  /** Revokes a certificate and answers the list of all that are revoked (PEM). */
  revoke({ certificate }: IdentityFiles): string {
    const config = join(this.#folder, 'revocation.cnf');
    const list = join(this.#folder, 'revoked.crl');
    writeFileSync(config, configuration(this.#folder, ''));
    openssl('ca', '-config', config, '-revoke', certificate, ...this.#keys());
    openssl('ca', '-config', config, '-gencrl', '-out', list, ...this.#keys());
    return readFileSync(list, 'utf8');
  }

  #keys(): string[] {
    return ['-cert', this.#certificate, '-keyfile', this.#privateKey];
  }
}

const configuration = (folder: string, extension: string): string => `
[ca]
default_ca = authority
[authority]
database = ${folder}/index.txt
serial = ${folder}/serial
crlnumber = ${folder}/crlnumber
new_certs_dir = ${folder}
default_md = sha256
default_crl_days = 30
policy = anything
unique_subject = no
x509_extensions = client
crl_extensions = list
[anything]
commonName = supplied
organizationalUnitName = optional
[client]
basicConstraints = CA:FALSE
keyUsage = digitalSignature
authorityKeyIdentifier = keyid
${extension}
[list]
authorityKeyIdentifier = keyid
`;

const newKey = (path: string): void =>
  openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', path);

/** So many seconds from now, as OpenSSL writes times. */
const time = (seconds: number): string =>
  new Date(Date.now() + seconds * 1000)
    .toISOString()
    .replace(/[-:T]|\.\d+/g, '')
    .slice(2);

function openssl(...args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
