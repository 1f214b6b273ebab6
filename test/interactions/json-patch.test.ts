/** https://www.rfc-editor.org/rfc/rfc6902, with the cases of the json-patch-tests project where they are at hand. */
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { FhirError } from '../../src/fhir/error.ts'
import { parseJson, writeJson } from '../../src/fhir/json.ts'
import { applyJsonPatch } from '../../src/interactions/json-patch.ts'

interface Case {
  comment?: string
  doc: unknown
  patch: unknown
  expected?: unknown
  error?: string
}

const SUITE = new URL('../../../shared/conformance/json-patch/json-patch-tests.json', import.meta.url)
const present = existsSync(SUITE)
const cases: Case[] = present ? JSON.parse(readFileSync(SUITE, 'utf8')) : []

const apply = (doc: string, patch: string): string =>
  writeJson(applyJsonPatch(parseJson(doc), parseJson(patch)))

const failure = (doc: string, patch: string): FhirError => {
  try {
    apply(doc, patch)
  } catch (error) {
    if (error instanceof FhirError) return error
    throw error
  }
  throw new Error('the patch went through')
}

const why = present ? '' : ' (skipped: ../shared/conformance/json-patch is not there)'

describe.skipIf(!present)(`the json-patch-tests suite${why}`, () => {
  test('is there', () => expect(cases.length).toBeGreaterThan(10))
  test.each(cases.map((item, index) => [item.comment ?? `case ${index}`, item] as const))('%s', (_, item) => {
    const doc = JSON.stringify(item.doc)
    const patch = JSON.stringify(item.patch)
    if (item.error !== undefined) failure(doc, patch)
    else expect(JSON.parse(apply(doc, patch))).toEqual(item.expected)
  })
})

describe('numbers', () => {
  test.each([
    ['1.00', '1'],
    ['1e3', '1000'],
    ['0.10', '1E-1'],
    ['-0', '0.0e5'],
    ['12345678901234567890', '12345678901234567890.000'],
    ['1e999999999999', '10e999999999998'],
  ])('test holds for %s and %s, which are one number', (a, b) => {
    expect(apply(`{"v":${a}}`, `[{"op":"test","path":"/v","value":${b}}]`)).toBe(`{"v":${a}}`)
  })

  test.each([
    ['12345678901234567890', '12345678901234567891'],
    ['1.0000000000000000001', '1'],
    ['1', '-1'],
    ['1', '"1"'],
  ])('test does not hold for %s and %s', (a, b) => {
    expect(failure(`{"v":${a}}`, `[{"op":"test","path":"/v","value":${b}}]`).status).toBe(422)
  })

  test('keep their text when added, copied and moved', () => {
    const patch =
      '[{"op":"add","path":"/b","value":1.00},{"op":"copy","from":"/a","path":"/c"},{"op":"move","from":"/a","path":"/d"}]'
    expect(apply('{"a":1e3}', patch)).toBe('{"b":1.00,"c":1e3,"d":1e3}')
  })
})

describe('pointers', () => {
  test('~01 is ~1 and not a slash', () => {
    expect(apply('{"~1":1,"/":2}', '[{"op":"remove","path":"/~01"}]')).toBe('{"/":2}')
  })
  test('an empty name is a name', () => {
    expect(apply('{"":{"":1}}', '[{"op":"replace","path":"//","value":2}]')).toBe('{"":{"":2}}')
  })
  test.each(['a', '/~', '/~2', '/a~'])('%s is malformed: 400', path => {
    expect(failure('{"a":1}', `[{"op":"remove","path":"${path}"}]`).status).toBe(400)
  })
  test.each(['/l/2', '/l/-', '/l/01', '/l/1e0', '/l/-1', '/l/+1', '/l/x', '/l/'])(
    '%s names no item of an array of two: 422',
    path => {
      expect(failure('{"l":[1,2]}', `[{"op":"remove","path":"${path}"}]`).status).toBe(422)
    },
  )
  test('names of the prototype are no members', () => {
    expect(failure('{"a":1}', '[{"op":"test","path":"/constructor","value":1}]').status).toBe(422)
    expect(failure('{"a":1}', '[{"op":"add","path":"/__proto__/x","value":1}]').status).toBe(422)
  })
  test('__proto__ is added as a plain member', () => {
    const text = apply('{"a":1}', '[{"op":"add","path":"/__proto__","value":{"x":1}}]')
    expect(text).toBe('{"a":1,"__proto__":{"x":1}}')
    expect(({} as { x?: number }).x).toBeUndefined()
    const nested = '[{"op":"add","path":"/b","value":{"__proto__":{"x":1}}}]'
    expect(apply('{"a":1}', nested)).toBe('{"a":1,"b":{"__proto__":{"x":1}}}')
  })
})

describe('operations', () => {
  test.each([
    ['not an array', '{}'],
    ['an operation that is no object', '[1]'],
    ['an unknown op', '[{"op":"merge","path":"/a"}]'],
    ['an op of the prototype', '[{"op":"toString","path":"/a"}]'],
    ['no path', '[{"op":"remove"}]'],
    ['no value', '[{"op":"add","path":"/a"}]'],
    ['no from', '[{"op":"move","path":"/a"}]'],
  ])('%s is malformed: 400', (_, patch) => expect(failure('{"a":1}', patch).status).toBe(400))

  test('a null value is a value', () => {
    expect(apply('{"a":1}', '[{"op":"replace","path":"/a","value":null}]')).toBe('{"a":null}')
  })
  test('moving a value into its own child is refused', () => {
    expect(failure('{"a":{"b":1}}', '[{"op":"move","from":"/a","path":"/a/b/c"}]').status).toBe(422)
  })
  test('the same value added twice is two values', () => {
    const patch =
      '[{"op":"add","path":"/a","value":{}},{"op":"copy","from":"/a","path":"/b"},{"op":"add","path":"/a/x","value":1}]'
    expect(apply('{}', patch)).toBe('{"a":{"x":1},"b":{}}')
  })
  test('copying the whole into itself ever again is stopped', () => {
    const doubling = `[${Array(64).fill('{"op":"copy","from":"/l","path":"/l/-"}').join(',')}]`
    expect(failure('{"l":[1]}', doubling).status).toBe(422)
  })
  test('nesting deeper than the limit is stopped, copies included', () => {
    const deep = Array.from(
      { length: 400 },
      (_, i) => `{"op":"copy","from":"","path":"/a${'/a'.repeat(i % 60)}"}`,
    )
    expect(failure('{}', `[${deep.join(',')}]`).message).toContain('nested deeper')
    const level = `{"op":"add","path":"${'/a'.repeat(60)}","value":[[[[[]]]]]}`
    const sixty = `${'{"a":'.repeat(60)}1${'}'.repeat(60)}`
    expect(failure(sixty, `[${level}]`).message).toContain('nested deeper')
  })
  test('the failing operation is named', () => {
    const error = failure('{"a":1}', '[{"op":"test","path":"/a","value":1},{"op":"remove","path":"/b"}]')
    expect(error.issues[0]?.expression).toBe('patch[1]')
  })
})

describe('a patch that is a lot of work', () => {
  const most = 1_000_000
  const many = `{"a":[${Array(most).fill('1').join(',')}]}`
  const repeated = (times: number, operation: string) => `[${Array(times).fill(operation).join(',')}]`

  test.each([
    ['pushing a long list on', '{"op":"add","path":"/a/0","value":1}', many],
    ['closing gaps in a long list', '{"op":"remove","path":"/a/1"}', many],
    ['moving a large value to and fro', '{"op":"move","from":"/a/0","path":"/a/1"}', `{"a":[${many},1]}`],
    ['comparing a long number', '{"op":"test","path":"/a","value":1}', `{"a":1.${'0'.repeat(most)}}`],
  ])('is stopped: %s', (_, operation, doc) => {
    const refused = failure(doc, repeated(20_000, operation))
    expect(refused.status).toBe(422)
    expect(refused.issues[0]!.diagnostics).toContain('too much work')
  })

  test('goes through where it is large and not abused', () => {
    const doc = `{"a":[${Array(2000).fill('{"b":1}').join(',')}]}`
    const done = apply(doc, repeated(5000, '{"op":"add","path":"/a/0","value":{"b":2}}'))
    expect((JSON.parse(done) as { a: unknown[] }).a).toHaveLength(7000)
  })
})
