import { BANDS, CHAPTERS, type Band, type Chapter } from './chapters.ts';
import { SyntheticRandom } from './random.ts';

/** What makes one hospital differ from the next. */
interface Hospital {
  readonly number: number;
  /** Where its rows begin in the space of hashed numbers. */
  readonly origin: bigint;
  readonly meanAge: number;
  readonly bmiShift: number;
  readonly smoking: number;
  readonly emergency: number;
  readonly transfer: number;
  readonly severity: number;
  readonly caseMix: ReadonlyMap<string, number>;
  readonly missing: Readonly<Record<'vitals' | 'bmi' | 'creatinine' | 'hba1c' | 'smoker', number>>;
}

export function drawHospital(seed: number, number: number): Hospital {
  const random = new SyntheticRandom(seed, number);
  return {
    number,
    origin: (BigInt(random.word()) << 29n) | BigInt(random.word() >>> 3),
    meanAge: random.between(54, 64),
    bmiShift: random.between(-0.03, 0.05),
    smoking: random.between(0.14, 0.27),
    emergency: random.between(0.4, 0.62),
    transfer: random.between(0.03, 0.1),
    severity: 0.25 * random.normal(),
    caseMix: new Map(CHAPTERS.map(({ code }) => [code, Math.exp(0.35 * random.normal())])),
    missing: {
      vitals: random.between(0.005, 0.04),
      bmi: random.between(0.08, 0.3),
      creatinine: random.between(0.06, 0.18),
      hba1c: random.between(0.6, 0.8),
      smoker: random.between(0.05, 0.2),
    },
  };
}

/**
 * Macros of uniform and normal numbers that depend on row and stream alone, not on threads: the engine's 64-bit hash
 * (a MurmurHash3 finaliser) of a counter, its upper 53 bits. Box and Muller takes streams k and k + 1.
 */
export const MACROS = [
  `CREATE MACRO u(i, k) AS ((hash(i + k) >> 11)::DOUBLE + 0.5::DOUBLE) / 9007199254740992::DOUBLE`,
  `CREATE MACRO z(i, k) AS sqrt(-2 * ln(u(i, k))) * cos(2 * pi() * u(i, k + 1))`,
  `CREATE MACRO clamp(v, low, high) AS least(greatest(v, low), high)`,
  `CREATE MACRO rounded(v, ten) AS round(v * ten) / ten::DOUBLE`,
  `CREATE MACRO logistic(v) AS 1 / (1 + exp(-v))`,
  `CREATE MACRO unless(v, missing) AS CASE WHEN missing THEN NULL ELSE v END`,
];

/** Streams of numbers for a row; a row takes a window of the counter this wide. */
const WINDOW = 64;

/**
 * SELECT of one hospital's rows, in order. Each step below may use what the steps before it drew: that is where the
 * correlations come from.
 */
export function encountersSql(hospital: Hospital, rows: number): string {
  const { missing } = hospital;
  const steps = [
    `SELECT n, ${hospital.origin} + n * ${WINDOW} AS i FROM range(${rows}) AS numbers(n)`,
    `SELECT *, u(i, 5) AS draw, u(i, 7) AS door, CASE WHEN u(i, 0) < 0.52 THEN 'F' ELSE 'M' END AS sex,
       clamp(floor(${hospital.meanAge} + 18.5 * z(i, 1)), 18, 99)::INTEGER AS age`,
    `SELECT *, CASE WHEN age >= 70 THEN 'old' WHEN age >= 45 THEN 'middle' WHEN sex = 'F' THEN 'youngWomen' ELSE 'youngMen' END AS band,
       (age - 50)::DOUBLE AS years, (sex = 'M')::INTEGER AS male,
       exp(3.27 + ${hospital.bmiShift} + 0.18 * z(i, 3) - 0.00006 * (age - 58) * (age - 58)) AS fat`,
    `SELECT *, ${chapterSql(hospital)} AS diagnosis_group,
       (u(i, 6) < ${hospital.smoking} * (0.85 + 0.4 * male) * CASE WHEN age >= 70 THEN 0.45 ELSE 1.1 END)::INTEGER AS smoker,
       ${pick('door', [
         ['transfer', hospital.transfer],
         ['emergency', hospital.emergency],
         ['elective', 1],
       ])} AS admission_type`,
    `SELECT *, (admission_type = 'emergency')::INTEGER AS urgent,
       (u(i, 8) < logistic(-2.1 + 0.035 * years + 0.11 * (fat - 27) + 0.2 * male
         + CASE WHEN diagnosis_group = 'E' THEN 1.6 ELSE 0 END))::INTEGER AS diabetic`,
    `SELECT *, clamp(118 + 0.42 * years + 0.45 * (fat - 27) + 3.5 * male + 3 * diabetic + 15 * z(i, 9), 60, 260) AS pressure,
       clamp(exp(-0.2 + 0.2 * male + 0.004 * years + 0.1 * diabetic + 0.25 * z(i, 11)
         + CASE WHEN diagnosis_group = 'N' THEN 0.35 ELSE 0 END), 0.2, 20) AS clearance,
       clamp(76 + 3 * smoker + 7 * urgent - 0.05 * years + 12.5 * z(i, 13), 30, 220) AS pulse`,
    `SELECT *, logistic(-5.3 + ${hospital.severity} + 0.055 * years + 1.0 * urgent + 0.8 * ln(clearance) + 0.015 * (pulse - 78)
       + ${byChapter((each) => each.death)}) AS risk`,
    `SELECT 'h${hospital.number}-' || n AS patient_id, age, sex, admission_type, diagnosis_group,
       unless(round(pressure)::INTEGER, u(i, 30) < ${missing.vitals}) AS systolic,
       unless(clamp(round(0.42 * pressure + 26 - 0.12 * greatest(years - 15, 0) + 7.5 * z(i, 15)), 30, 160)::INTEGER,
         u(i, 30) < ${missing.vitals}) AS diastolic,
       unless(round(pulse)::INTEGER, u(i, 31) < ${missing.vitals}) AS heart_rate,
       unless(rounded(clamp(fat, 12, 70), 10), u(i, 32) < ${missing.bmi}) AS bmi,
       unless(rounded(clearance, 100), u(i, 33) < ${missing.creatinine} * (1.5 - urgent)) AS creatinine,
       unless(rounded(clamp(CASE WHEN diabetic = 1 THEN 7.3 + 0.03 * (fat - 27) + 1.3 * z(i, 17) ELSE 5.4 + 0.004 * years + 0.32 * z(i, 17) END, 3.5, 18), 10),
         u(i, 34) < ${missing.hba1c} * CASE WHEN diabetic = 1 THEN 0.2 ELSE 1.15 END) AS hba1c,
       clamp(floor(exp(1.15 + 0.011 * years + 0.2 * urgent + 0.8 * z(i, 19) + ${byChapter((each) => each.stay)})), 0, 180)::INTEGER AS length_of_stay,
       unless(smoker, u(i, 35) < ${missing.smoker}) AS smoker, diabetic,
       (u(i, 21) < risk)::INTEGER AS died_30d`,
  ];
  // The engine takes 0.42 for a DECIMAL, whose arithmetic costs five times that of a DOUBLE; 0.42e0 is a DOUBLE.
  return steps.reduce((inner, step) => `${step} FROM (${inner})`).replaceAll(/\b\d+\.\d+\b/g, '$&e0');
}

const byChapter = (value: (chapter: Chapter) => number): string =>
  `CASE diagnosis_group ${CHAPTERS.map((each) => `WHEN '${each.code}' THEN ${value(each)}`).join(' ')} END`;

const chapterSql = (hospital: Hospital): string =>
  `CASE band ${BANDS.map((band) => `WHEN '${band}' THEN ${pick('draw', shares(hospital, band))}`).join(' ')} END`;

function shares(hospital: Hospital, band: Band): [string, number][] {
  const weights = CHAPTERS.map(({ code, weight }): [string, number] => [
    code,
    weight[band] * (hospital.caseMix.get(code) ?? 1),
  ]);
  const total = weights.reduce((sum, [, weight]) => sum + weight, 0);
  return weights.filter(([, weight]) => weight > 0).map(([code, weight]) => [code, weight / total]);
}

/** Picks a text by a uniform number; the last one takes what is left of 1. */
function pick(uniform: string, choices: readonly (readonly [string, number])[]): string {
  let upTo = 0;
  const cases = choices.slice(0, -1).map(([text, share]) => `WHEN ${uniform} < ${(upTo += share)} THEN '${text}'`);
  return `CASE ${cases.join(' ')} ELSE '${choices.at(-1)![0]}' END`;
}
