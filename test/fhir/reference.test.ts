import { expect, test } from 'vitest'
import { formatReference, isId, parseReference } from '../../src/fhir/reference.ts'

const BASE = 'http://127.0.0.1:8080/fhir'

test.each([
  ['Patient/1', { kind: 'local', type: 'Patient', id: '1', version: undefined }],
  ['Patient/1/_history/2', { kind: 'local', type: 'Patient', id: '1', version: '2' }],
  [`${BASE}/Patient/a-b.C`, { kind: 'local', type: 'Patient', id: 'a-b.C', version: undefined }],
  [`${BASE}/Patient/1/_history/2`, { kind: 'local', type: 'Patient', id: '1', version: '2' }],
  ['Patient/1#contained', { kind: 'local', type: 'Patient', id: '1', version: undefined }],
  [
    'http://elsewhere.org/fhir/Patient/1',
    {
      kind: 'foreign',
      url: 'http://elsewhere.org/fhir/Patient/1',
      base: 'http://elsewhere.org/fhir',
      type: 'Patient',
      id: '1',
      version: undefined,
    },
  ],
  [
    'https://elsewhere.org/Patient/1/_history/3',
    {
      kind: 'foreign',
      url: 'https://elsewhere.org/Patient/1',
      base: 'https://elsewhere.org',
      type: 'Patient',
      id: '1',
      version: '3',
    },
  ],
  // The base of another server that ours is the beginning of.
  [
    `${BASE}2/Patient/1`,
    {
      kind: 'foreign',
      url: `${BASE}2/Patient/1`,
      base: `${BASE}2`,
      type: 'Patient',
      id: '1',
      version: undefined,
    },
  ],
  ['#p1', { kind: 'fragment', id: 'p1' }],
  ['#', { kind: 'fragment', id: '' }],
  [
    'urn:uuid:c757873d-ec9a-4326-a141-556f43239520',
    { kind: 'uri', uri: 'urn:uuid:c757873d-ec9a-4326-a141-556f43239520' },
  ],
  ['urn:oid:1.2.3', { kind: 'uri', uri: 'urn:oid:1.2.3' }],
  ['http://hl7.org/fhir/sid/us-npi', { kind: 'uri', uri: 'http://hl7.org/fhir/sid/us-npi' }],
  ['Patient?identifier=1', { kind: 'uri', uri: 'Patient?identifier=1' }],
  ['patient/1', { kind: 'uri', uri: 'patient/1' }],
  [`Patient/${'x'.repeat(65)}`, { kind: 'uri', uri: `Patient/${'x'.repeat(65)}` }],
  ['Patient/a b', { kind: 'uri', uri: 'Patient/a b' }],
  ['', { kind: 'uri', uri: '' }],
])('%s', (text, expected) => {
  expect(parseReference(text, BASE)).toEqual(expected)
})

test('writes what it reads', () => {
  expect(formatReference('Patient', '1')).toBe('Patient/1')
  expect(formatReference('Patient', '1', '2')).toBe('Patient/1/_history/2')
})

test.each([
  ['a', true],
  ['A-1.b', true],
  ['x'.repeat(64), true],
  ['x'.repeat(65), false],
  ['', false],
  ['a_b', false],
  ['a/b', false],
])('%s is an id: %s', (text, expected) => {
  expect(isId(text)).toBe(expected)
})

test('a long text costs no more than its length', () => {
  const start = performance.now()
  parseReference(`http://${'a/'.repeat(500_000)}`, BASE)
  parseReference(`http://${'/Aa'.repeat(1300)}`, BASE)
  expect(performance.now() - start).toBeLessThan(1000)
})
