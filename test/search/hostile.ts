/** Hostile searches from a seed: names, values and paths that people would send to break a server. */
import type { SearchRegistry } from '../../src/search/registry.ts'
import type { generator } from './random.ts'

type Random = ReturnType<typeof generator>

const BACKSLASHES = '\\'.repeat(41)
/** Texts that mean something to a database, to an engine of expressions, to JavaScript or to FHIR. */
const PIECES: readonly string[] = [
  ...[
    "'",
    '"',
    '`',
    ';',
    '--',
    '/*',
    '*/',
    "' OR 1=1 --",
    "'; DROP TABLE res; --",
    '" UNION SELECT body FROM ver --',
  ],
  ...["') OR EXISTS (SELECT 1", '?', '?1', ':p', '@p', '$1', "x') GLOB ('*", '%', '_', '%_%', '\\%'],
  ...[
    '$where',
    '{"$gt":""}',
    '{"$ne":null}',
    '[$regex]',
    '$$ROOT',
    '$expr',
    '{$where:"sleep(9999)"}',
    '.',
    '..',
    '$',
  ],
  ...['(a+)+$', '^(([a-z])+.)+[A-Z]([a-z])+$', '(.*)*', '.*.*.*.*=x', '[[[[', '(?=', '\\p{L}+', 'a{99999}'],
  ...[
    '__proto__',
    'constructor',
    'prototype',
    'hasOwnProperty',
    'toString',
    'then',
    '__defineGetter__',
    'length',
  ],
  ...[
    '\0',
    '\u0001',
    '\u0002',
    '\n',
    '\r\n',
    '\t',
    '\u007f',
    '\u0085',
    '\u2028',
    '\ufeff',
    '\uffff',
    '\u{10ffff}',
  ],
  ...[
    '\ud800',
    '\udc00',
    '\udfff\ud800',
    'a\ud83d',
    '\u0301'.repeat(30),
    '\u202e',
    '\u200d',
    'ﷺ',
    'ß',
    'İ',
    'മിനി',
  ],
  ...[
    '\\',
    '\\,',
    '\\$',
    '\\|',
    '\\\\',
    BACKSLASHES,
    ',',
    ',,',
    '|',
    '||',
    '|||',
    '$$',
    '&',
    '=',
    '#',
    '/',
    '//',
    ' ',
    '+',
  ],
  ...[
    '0',
    '-0',
    '1e400',
    '-1e-400',
    '9'.repeat(400),
    '1e999999999',
    '0x10',
    'NaN',
    'Infinity',
    '-',
    '१२',
    '1_000',
    '5.4e',
    '.5',
  ],
  ...[
    'eq',
    'ne',
    'gt',
    'lt',
    'ge',
    'le',
    'sa',
    'eb',
    'ap',
    'xx',
    'not',
    'and',
    'or',
    '(',
    ')',
    '*',
    '"a b',
    'true',
    'null',
  ],
  ...[
    '0000',
    '0000-00-00',
    '9999-12-31',
    '2024-02-30',
    '2024-13',
    '99999',
    '2024-01-01T24:00',
    '-2024',
    '2024-01-01T00:00:60Z',
  ],
  ...[
    '2024',
    '2024-01-01T10:00:00+14:00',
    '2024-01-01T10:00:00.123456789Z',
    '275760-09-13',
    'T',
    'Z',
    '+99:99',
  ],
  ...[
    'Patient/1',
    'Patient/1/_history/1',
    '#p',
    'urn:uuid:',
    'http://',
    'http://x/'.repeat(40),
    'http://example.org/fhir/Patient/1',
  ],
  ...[
    'g/L',
    'http://unitsofmeasure.org',
    'm'.repeat(200),
    'm9999',
    '(((((m)))))',
    '10*999',
    '{',
    '}',
    '{x}',
    '/'.repeat(60),
  ],
  ...[
    '90|180|1e99|km',
    '91|0',
    '-90|-180|0',
    '0|0|-1',
    'NaN|NaN',
    'a'.repeat(8000),
    '(('.repeat(200),
    'fuzz-1',
    'c1',
    'Nair',
    'male',
  ],
]
const NAMES: readonly string[] = [
  ...[
    '_id',
    '_lastUpdated',
    '_tag',
    '_profile',
    '_security',
    '_source',
    '_type',
    '_has',
    '_list',
    '_filter',
    '_text',
    '_content',
  ],
  ...[
    '_count',
    '_sort',
    '_total',
    '_summary',
    '_elements',
    '_include',
    '_revinclude',
    '_include:iterate',
    '_contained',
  ],
  ...[
    '_explain',
    '_format',
    '_pretty',
    '_cursor',
    '_stored',
    '_query',
    '_score',
    '_in',
    '_since',
    '_at',
    'near',
  ],
  ...['', '__proto__', 'constructor', '$where', "x' OR '1", '_', ':', '.', '\0', '\ud800', 'x'.repeat(8192)],
]
const MODIFIERS: readonly string[] = [
  ...[
    ':missing',
    ':exact',
    ':contains',
    ':not',
    ':text',
    ':of-type',
    ':identifier',
    ':above',
    ':below',
    ':in',
    ':not-in',
  ],
  ...[
    ':Patient',
    ':iterate',
    ':',
    ':x',
    ':__proto__',
    `:${'y'.repeat(8192)}`,
    '.name',
    ':Patient.name',
    ':Patient.organization.name',
  ],
  ...[
    '.',
    '..',
    '.$',
    '._has:Observation:patient:code',
    ':Patient._id',
    '.subject.subject.subject.subject.subject.subject',
  ],
]
const FILTER: readonly string[] = [
  ...[
    '(',
    ')',
    ' ',
    ' and ',
    ' or ',
    'not ',
    'not(',
    '[',
    ']',
    '"',
    '\\"',
    '\\u0000',
    ' eq ',
    ' ne ',
    ' co ',
    ' sw ',
    ' pr ',
  ],
  ...[
    ' po ',
    ' re ',
    ' ap ',
    ' in ',
    ' ss ',
    ' ew ',
    'code',
    'subject.name',
    '_id',
    'name',
    'birthdate',
    'true',
    '2020',
  ],
  ...[
    'name co "a"',
    'name co "(a+)+$"',
    'birthdate ge 2020',
    'gender pr true',
    'code eq x',
    '_has:Observation:subject:code',
    'loinc|1',
  ],
]
const LINKS: readonly string[] = [
  'subject',
  'patient',
  'organization',
  'partof',
  'member',
  'has-member',
  'based-on',
  'focus',
  'encounter',
]

export interface Hostile {
  method: 'GET' | 'POST'
  /** Behind the base. */
  path: string
  /** Of a POST: a form. */
  form?: string
  lenient: boolean
}

/** Returns a way to write a text in a URL: encoded, half encoded, or as nobody should. */
function written({ below }: Random, text: string): string {
  switch (below(8)) {
    case 0:
      return [...text]
        .map(one => (one.charCodeAt(0) < 128 ? `%${one.charCodeAt(0).toString(16).padStart(2, '0')}` : one))
        .join('')
    case 1:
      return text.replace(/[#&=\s\0]/g, '+')
    case 2:
      return `${encodeURIComponent(text.toWellFormed())}${['%', '%e0%a4', '%zz', '%00', '%ff', '%ed%a0%80'][below(6)]}`
    default:
      return encodeURIComponent(text.toWellFormed())
  }
}

/** Returns a search as somebody sends it who means no good. */
export function hostile(random: Random, registry: SearchRegistry): Hostile {
  const { below, pick } = random
  const type = pick(['Patient', 'Observation', 'Location', 'ValueSet', pick(registry.types)])
  const own = registry.params(type).map(param => param.code)
  const text = (most: number): string => Array.from({ length: below(most + 1) }, () => pick(PIECES)).join('')
  const name = (): string => {
    const code = below(4) ? pick(own) : below(8) ? pick(NAMES) : text(2)
    switch (below(8)) {
      case 0:
        return `${Array.from({ length: 1 + below(9) }, () => `${pick(LINKS)}${pick(['', ':Patient', ':Observation'])}`).join('.')}.${code}`
      case 1:
        return `${Array.from({ length: 1 + below(7) }, () => `_has:${pick(['Observation', 'Encounter', 'Patient', 'x'])}:${pick(LINKS)}:`).join('')}${code}`
      case 2:
      case 3:
        return code + pick(MODIFIERS)
      default:
        return code
    }
  }
  const value = (): string => {
    switch (below(12)) {
      case 0:
        return Array.from({ length: 2 + below(400) }, () => pick(PIECES).slice(0, 20)).join(',')
      case 1:
        return pick(PIECES)
          .repeat(1 + below(60))
          .slice(0, 20_000)
      default:
        return text(1 + below(4))
    }
  }
  const pairs = Array.from({ length: 1 + below(below(10) ? 2 : 120) }, (): [string, string] => [
    name(),
    value(),
  ])
  if (below(5) === 0)
    pairs.push([
      '_filter',
      Array.from({ length: 1 + below(below(10) ? 9 : 300) }, () => pick(FILTER)).join(''),
    ])
  if (below(6) === 0) pairs.push([`${pick(['name', 'family', 'address', 'value-string'])}:contains`, value()])
  const query = pairs.map(([left, right]) => `${written(random, left)}=${written(random, right)}`).join('&')
  const where = [
    type,
    type,
    type,
    '',
    'Patient/fuzz-1/*',
    'Patient/fuzz-1/Observation',
    written(random, text(2)),
  ][below(7)]!
  const lenient = below(2) === 0
  if (below(5) === 0)
    return { method: 'POST', path: `${where}${where === '' ? '' : '/'}_search`, form: query, lenient }
  return { method: 'GET', path: `${where}?${query}`, lenient }
}
