import { describe, expect, test } from 'vitest'
import { FhirError } from '../../src/fhir/error.ts'
import type { Resource } from '../../src/fhir/json.ts'
import { createIndexer } from '../../src/search/index-values.ts'
import { narrativeText } from '../../src/search/narrative.ts'
import { parseSearch } from '../../src/search/parse.ts'
import { planSearch } from '../../src/search/plan.ts'
import { createRegistry } from '../../src/search/registry.ts'
import { MAX_WORD, MAX_WORDS, wordsOf } from '../../src/search/words.ts'

const registry = createRegistry()
const options = { zone: 'UTC', references: 'off', baseUrl: 'http://example.org/fhir' } as const
const index = createIndexer(registry, { ...options, fullText: 'on' })
const words = (resource: object, param: string) =>
  index(resource as Resource).flatMap(row => (row.kind === 'words' && row.param === param ? row.words : []))

describe('words', () => {
  test.each([
    ['Bone, metastases!', ['bone', 'metastases']],
    ["O'Brien K76-0 2019", ['o', 'brien', 'k76', '0', '2019']],
    ['Grün Straße ÉCOLE', ['grun', 'strasse', 'ecole']],
    ['കരൾ വീക്കം', ['കരൾ', 'വീക്കം']],
    // The chillu with a joiner, and a joiner within a word.
    ['കരള്\u200d', ['കരൾ']],
    ['क्\u200dष', ['क्ष']],
    ['soft\u00adhyphen', ['softhyphen']],
    ['5½ x²', ['51', '2', 'x2']],
    ['--- ...', []],
  ])('%s', (text, expected) => expect(wordsOf(text)).toEqual(expected))

  test('a long word counts by its first part, in the index and in the query', () => {
    const long = 'x'.repeat(500)
    expect(wordsOf(long)).toEqual(['x'.repeat(MAX_WORD)])
    expect(wordsOf(`é${long}`)).toEqual([`e${'x'.repeat(MAX_WORD - 1)}`])
  })
})

describe('rows of words', () => {
  test('the narrative and the whole resource, each word once and in order', () => {
    const resource = {
      resourceType: 'Condition',
      id: 'abc',
      meta: { profile: ['http://profile'], tag: [{ code: 'tagged' }] },
      language: 'en',
      text: {
        status: 'generated',
        div: '<div xmlns="http://www.w3.org/1999/xhtml">Liver, <b>liver</b> bone</div>',
      },
      code: {
        coding: [{ system: 'http://snomed.info/sct', code: '126952004', display: 'Neoplasm of brain' }],
      },
      subject: { reference: 'Patient/secret', display: 'Asha' },
      recordedDate: '2024-03-10',
      onsetDateTime: '2024-03-10T10:00:00+05:30',
      contained: [{ resourceType: 'Practitioner', id: 'x', text: { div: '<div>Hill</div>' } }],
      extension: [{ url: 'http://example.org/e', valueUri: 'urn:uuid:1', valueBase64Binary: 'c2VjcmV0' }],
    }
    expect(words(resource, '_text')).toEqual(['bone', 'liver'])
    expect(words(resource, '_content')).toEqual([
      '126952004',
      'asha',
      'bone',
      'brain',
      'hill',
      'liver',
      'neoplasm',
      'of',
    ])
  })

  test('what has the name of an address or of data, and is none, is searched', () => {
    const resource = {
      resourceType: 'Patient',
      language: 'en',
      communication: [{ language: { coding: [{ code: 'ml', display: 'Malayalam' }] } }],
      photo: [{ language: 'fr', data: 'aGlk', title: 'Face' }],
      contained: [
        {
          resourceType: 'Consent',
          provision: { data: [{ reference: { reference: 'Patient/1', display: 'Asha' } }] },
        },
      ],
    }
    expect(words(resource, '_content')).toEqual(['asha', 'face', 'malayalam', 'ml'])
  })

  test('none where there are no words, and none unless they are switched on', () => {
    expect(index({ resourceType: 'Basic' } as Resource).filter(row => row.kind === 'words')).toEqual([])
    const off = createIndexer(registry, options)
    const resource = { resourceType: 'Basic', text: { div: '<div>a</div>' } } as unknown as Resource
    expect(off(resource).filter(row => row.kind === 'words')).toEqual([])
  })

  test('at most MAX_WORDS', () => {
    const text = Array.from({ length: MAX_WORDS + 500 }, (_, i) => `w${i}`).join(' ')
    expect(words({ resourceType: 'Condition', note: [{ text }] }, '_content').length).toBe(MAX_WORDS)
    expect(words({ resourceType: 'Condition', text: { div: text } }, '_text').length).toBe(MAX_WORDS)
  })
})

describe('the text of a narrative', () => {
  test.each([
    ['<p>a</p><p>b</p>', [' ', 'a', ' ', ' ', 'b', ' '].join('')],
    ['<p title="a > b" class=\'<\'>c</p>', ' c '],
    ['a<!-- b <p> -->c', 'a c'],
    ['a<![CDATA[<b>]]>c', 'a<b>c'],
    ['&lt;&amp;&gt;&quot;&apos;', '<&>"\''],
    ['caf&eacute;', 'cafe\u0301'],
    ['&#2990;&#x0BAE;', 'மம'],
    ['&alpha;&Omega;&szlig;', 'αΩß'],
    ['a&nbsp;b&unknown;c', 'a b c'],
    ['&#0;&#xD800;&#1114112;&#99999999;', '   &#99999999;'],
    ['a & b', 'a & b'],
    ['a < b <= <', 'a < b <= <'],
    ['a<!-- b', 'a '],
    ['a<![CDATA[b', 'ab'],
    ['a<b title="', 'a '],
    ['', ''],
  ])('%s', (xhtml, text) => expect(narrativeText(xhtml)).toBe(text))

  const size = 1_000_000
  test.each([
    '<',
    '</',
    '<!--',
    '<![CDATA[',
    '<a "',
    '<a \'">',
    '&',
    '&#',
    '&a',
    '&#x1;',
    '<a>',
    '"\'',
    ' <',
    'é',
    '\ud800',
  ])('a million of %j are read in time', part => {
    const started = process.cpuUsage()
    wordsOf(narrativeText(part.repeat(size)))
    // Twice as much takes twice as long; were it the square, it would be hours.
    const { user, system } = process.cpuUsage(started)
    expect(user + system).toBeLessThan(10_000_000)
  })
})

describe('without an index of words', () => {
  const refusal = (query: string) => {
    try {
      planSearch(parseSearch([...new URLSearchParams(query)]), {
        registry,
        types: ['Condition'],
        zone: 'UTC',
        baseUrl: 'http://example.org/fhir',
        now: 0,
        fullText: 'off',
      })
    } catch (error) {
      return error instanceof FhirError ? { status: error.status, ...error.issues[0]! } : undefined
    }
    return undefined
  }
  test.each(['_text=bone', '_content=bone', '_text:missing=true', '_content:missing=false'])('%s', query => {
    expect(refusal(query)).toMatchObject({ status: 400, code: 'not-supported' })
    expect(refusal(query)?.diagnostics).toContain('NADI_FULL_TEXT=on')
  })
})
